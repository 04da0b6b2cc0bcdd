import { expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import type { PendingDelete } from '../ports/metadata-store.ts'
import { newStorageKey, newUploadId, type StorageKey, type UploadId } from '../ports/storage-key.ts'
import type { Ports } from '../settings.ts'
import { sweep } from './sweep.ts'

/** Two backends with one ended upload each that left an object behind; `broken` cannot list. */
function createPorts() {
  const ended = ['broken', 'well'].map((backend) => {
    const upload = newUploadId()
    return { upload, backend, key: newStorageKey(upload) }
  })
  const pending: PendingDelete[] = []
  const swept: UploadId[] = []
  const deleted: StorageKey[] = []
  const metadata = {
    expireUploads: async () => ended.filter(({ upload }) => !swept.includes(upload)),
    async sweepUpload(upload: UploadId, found: StorageKey[]) {
      swept.push(upload)
      for (const key of found) pending.push({ id: pending.length + 1, backend: 'well', key })
    },
    listPendingDeletes: async (limit: number, after = 0) =>
      pending.filter(({ id }) => id > after).slice(0, limit),
    forgetPendingDeletes: async () => undefined,
  }
  const storeOf = (backend: string) => ({
    async *list(prefix: string) {
      if (backend === 'broken') throw new RegistryError('STORAGE_UNAVAILABLE')
      for (const { key } of ended) if (key.startsWith(prefix)) yield key
    },
    delete: async (key: StorageKey) => void deleted.push(key),
  })
  const backends = new Map(['broken', 'well'].map((name) => [name, storeOf(name)]))
  return { ports: { metadata, backends } as unknown as Ports, ended, swept, deleted }
}

test('a backend that cannot list keeps its tombstones, and nobody else waits for it', async () => {
  const { ports, ended, swept, deleted } = createPorts()
  await expect(sweep(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(swept).toStrictEqual([ended[1]!.upload])
  expect(deleted).toStrictEqual([ended[1]!.key])
})
