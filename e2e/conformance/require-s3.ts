import { requireVersitygw } from '@openregistry/testkit'
import { beforeEach } from 'vitest'

// Runs before each file of the project `s3`.
beforeEach((context) => requireVersitygw(context))
