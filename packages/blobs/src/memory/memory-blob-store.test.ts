import { blobStoreContract } from '@openregistry/testkit'
import { createMemoryBlobStore } from './memory-blob-store.ts'

blobStoreContract('memory', async () => createMemoryBlobStore())
