import { expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import type { PendingDelete } from '../ports/metadata-store.ts'
import { newStorageKey, newUploadId, type StorageKey, type UploadId } from '../ports/storage-key.ts'
import type { Ports } from '../settings.ts'
import { sweep } from './sweep.ts'

/** Backends with one ended upload each that left an object behind; `broken` cannot list, `walked` has no other way. */
function createPorts(names = ['broken', 'well']) {
  const ended = names.map((backend) => {
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
      const backend = ended.find((other) => other.upload === upload)?.backend ?? ''
      for (const key of found) pending.push({ id: pending.length + 1, backend, key })
    },
    listPendingDeletes: async (limit: number, after = 0) =>
      pending.filter(({ id }) => id > after).slice(0, limit),
    forgetPendingDeletes: async () => undefined,
  }
  let walks = 0
  const walked = {
    async *listUploads(uploads: ReadonlySet<UploadId>) {
      walks++
      for (const { upload, key } of ended) if (uploads.has(upload)) yield key
    },
    delete: async (key: StorageKey) => void deleted.push(key),
  }
  const storeOf = (backend: string) => ({
    async *list(prefix: string) {
      if (backend === 'broken') throw new RegistryError('STORAGE_UNAVAILABLE')
      for (const { key } of ended) if (key.startsWith(prefix)) yield key
    },
    delete: async (key: StorageKey) => void deleted.push(key),
  })
  const backends = new Map<string, unknown>(
    names.map((name) => [name, name === 'walked' ? walked : storeOf(name)]),
  )
  const ports = { metadata, backends } as unknown as Ports
  return { ports, ended, swept, deleted, walks: () => walks }
}

test('a backend that cannot list keeps its tombstones, and nobody else waits for it', async () => {
  const { ports, ended, swept, deleted } = createPorts()
  await expect(sweep(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(swept).toStrictEqual([ended[1]!.upload])
  expect(deleted).toStrictEqual([ended[1]!.key])
})

test('where every list is a walk through everything, one walk is made for all uploads', async () => {
  const { ports, ended, swept, deleted, walks } = createPorts(['walked', 'well', 'walked', 'walked'])
  expect(await sweep(ports)).toStrictEqual({ uploads: 4, objects: 4 })
  expect(walks()).toBe(1)
  expect(swept.toSorted()).toStrictEqual(ended.map(({ upload }) => upload).toSorted())
  expect(deleted.toSorted()).toStrictEqual(ended.map(({ key }) => key).toSorted())
})
