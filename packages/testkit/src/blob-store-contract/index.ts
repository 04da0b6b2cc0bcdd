import { describe } from 'vitest'
import type { BlobStore } from '@openregistry/core'
import { concurrencyTests } from './concurrency.ts'
import { failureTests } from './failures.ts'
import { identityTests } from './identity.ts'
import { listTests } from './listing.ts'
import { rangeTests } from './ranges.ts'
import { readingTests } from './reading.ts'
import { roundTripTests } from './round-trip.ts'

/** Opens a store that holds nothing yet. The suite disposes it. */
export type OpenBlobStore = () => Promise<BlobStore>

/**
 * Everything the port `BlobStore` promises that can be seen from outside; durability cannot. Call it from a test file
 * of the driver: `blobStoreContract('disk', () => openDiskBlobStore({ path: newFolder() }))`.
 */
export function blobStoreContract(name: string, open: OpenBlobStore): void {
  describe(`BlobStore contract: ${name}`, () => {
    roundTripTests(open)
    rangeTests(open)
    readingTests(open)
    failureTests(open)
    concurrencyTests(open)
    listTests(open)
    identityTests(open)
  })
}
