import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '@openregistry/core'
import { blobStoreContract } from '@openregistry/testkit'
import { openDiskBlobStore } from './disk-blob-store.ts'

const root = await mkdtemp(join(tmpdir(), 'disk-blob-store-'))
afterAll(() => rm(root, { recursive: true, force: true }))

let folders = 0
blobStoreContract('disk', () => openDiskBlobStore({ path: join(root, String(folders++)) }))
// The smallest buffers there are, and a sync with every chunk.
const frugal = { largestRead: 65_536, readMemory: 0, writeBackEvery: 1 }
blobStoreContract('disk, short of memory', () =>
  openDiskBlobStore({ path: join(root, String(folders++)), ...frugal }),
)

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

test('an object is one file in the shard of its upload', async () => {
  await using store = await openDiskBlobStore({ path: join(root, 'layout') })
  const key = newStorageKey(newUploadId())
  await store.write(key, once(Uint8Array.of(1, 2, 3)))
  const file = join(root, 'layout', key.slice(0, 2), key.replace('/', '.'))
  expect([...(await readFile(file))]).toEqual([1, 2, 3])
  expect(await store.stat(key)).toEqual({ size: 3 })
  await using reader = await store.open(key)
  expect(reader?.size).toBe(3)
  const chunks = []
  for await (const chunk of reader?.chunks ?? []) chunks.push(...chunk)
  expect(chunks).toEqual([1, 2, 3])
  await store.delete(key)
  expect(await store.stat(key)).toBeNull()
  expect(await store.open(key)).toBeNull()
})

test('the shards are there from the start, and a probe leaves nothing', async () => {
  const path = join(root, 'shards', 'deep')
  await using store = await openDiskBlobStore({ path })
  await store.check()
  const names = await readdir(path)
  expect(names).toHaveLength(256)
  expect(names.every((name) => /^[0-9a-f]{2}$/.test(name))).toBe(true)
})
