import { contentHasherContract } from '@openregistry/testkit'
import { createContentHasher } from './content-hasher.ts'

contentHasherContract('threads', () => createContentHasher())
contentHasherContract('one thread, nothing kept', () => createContentHasher({ threads: 1, poolBytes: 0 }))
