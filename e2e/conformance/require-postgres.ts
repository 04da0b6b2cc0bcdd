import { requirePostgres } from '@openregistry/testkit'
import { beforeEach } from 'vitest'

// Runs before each file of the project `replicas`.
beforeEach((context) => requirePostgres(context))
