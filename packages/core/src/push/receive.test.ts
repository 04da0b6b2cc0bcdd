import { expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import type { BlobStore } from '../ports/blob-store.ts'
import type { ContentHasher } from '../ports/content-hasher.ts'
import { newUploadId } from '../ports/storage-key.ts'
import { inlineLimit, receive } from './receive.ts'

test('a body is let go of when the store refuses before it asks for a byte', async () => {
  let open = true
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) yield new Uint8Array(inlineLimit)
    } finally {
      open = false
    }
  }
  const full = { write: () => Promise.reject(new RegistryError('STORAGE_FULL')) } as unknown as BlobStore
  const hasher = { begin: () => ({ [Symbol.dispose]: () => undefined }) } as unknown as ContentHasher
  const options = { store: full, hasher, upload: newUploadId(), hash: 'sha256', limit: 0, offset: 0 } as const
  await expect(receive(body(), options)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  expect(open).toBe(false)
})
