import { requireIpfsPeer } from '@openregistry/testkit'
import { beforeEach } from 'vitest'

// Runs before each file of the project `kubo`.
beforeEach((context) => requireIpfsPeer(context, 'kubo'))
