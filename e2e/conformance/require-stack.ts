import { requireIpfsPeer, requirePostgres } from '@openregistry/testkit'
import { beforeEach } from 'vitest'

// Runs before each file of the project `stack`.
beforeEach((context) => {
  requirePostgres(context)
  requireIpfsPeer(context, 'kubo')
})
