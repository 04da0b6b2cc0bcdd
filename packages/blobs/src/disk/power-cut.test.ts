import { describe, expect, test } from 'vitest'
import {
  newStorageKey,
  newUploadId,
  type BlobStore,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { RecordingFileLayer, type RecordingOptions } from '@openregistry/testkit'
import { openDiskBlobStore } from './disk-blob-store.ts'

const path = '/data/blobs'
const chunk = 4096
const clients = 6
const turns = 4

/** An object whose write has resolved. */
interface Acknowledged {
  key: StorageKey
  bytes: Uint8Array
  /** The step after which it was acknowledged. */
  from: number
  /** The step before which its deletion was asked for. */
  until: number
}

/** Two uploads in one shard and one in another, so that folder syncs are shared, and not by all. */
const uploads = ['aa', 'aa', 'bb'].map((shard) => `${shard}${newUploadId().slice(2)}` as UploadId)

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.slice(at, at + chunk)
}

/** Clients that push one object after the other, some of which are deleted again, with every step recorded. */
async function work(files: RecordingFileLayer): Promise<Acknowledged[]> {
  await using store = await openDiskBlobStore({ path, files, writeBackEvery: 2 * chunk })
  const acknowledged: Acknowledged[] = []
  const push = async (client: number, turn: number): Promise<void> => {
    const key = newStorageKey(uploads[client % uploads.length] ?? newUploadId())
    // Small ones among them: they come and go while the folder is synced for others.
    const bytes = new Uint8Array(((client + turn) % 4) * 6000).fill(client * turns + turn + 1)
    await store.write(key, chunksOf(bytes))
    const object: Acknowledged = { key, bytes, from: files.steps, until: Infinity }
    acknowledged.push(object)
    if (turn !== 1) return
    object.until = files.steps
    await store.delete(key)
  }
  const client = async (_: unknown, index: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await push(index, turn)
  }
  await Promise.all(Array.from({ length: clients }, client))
  return acknowledged
}

/** The keys of acknowledged objects that are not whole when the power is cut at that step. */
async function lostAt(
  step: number,
  files: RecordingFileLayer,
  all: readonly Acknowledged[],
): Promise<StorageKey[]> {
  await using store = await openDiskBlobStore({ path, files: files.afterCut(step) })
  const lost: StorageKey[] = []
  for (const { key, bytes, from, until } of all) {
    if (from <= step && step < until && !(await isWhole(store, key, bytes))) lost.push(key)
  }
  return lost
}

async function isWhole(store: BlobStore, key: StorageKey, bytes: Uint8Array): Promise<boolean> {
  await using reader = await store.open(key)
  if (reader?.size !== bytes.length) return false
  const chunks: Uint8Array[] = []
  for await (const part of reader.chunks) chunks.push(new Uint8Array(part))
  return Buffer.concat(chunks).equals(bytes)
}

/** Everything that some cut loses. */
async function lostAnywhere(options: RecordingOptions): Promise<StorageKey[]> {
  const files = new RecordingFileLayer(options)
  const all = await work(files)
  expect(files.openFiles).toBe(0)
  expect(all).toHaveLength(clients * turns)
  const lost: StorageKey[] = []
  const first = Math.min(...all.map(({ from }) => from))
  for (let step = first; step <= files.steps; step++) lost.push(...(await lostAt(step, files, all)))
  return lost
}

describe('power cuts', () => {
  test.each([null, 1, 2, 3, 4, 5, 6, 7])(
    'wherever the power is cut, what was acknowledged is whole (order %s)',
    async (seed) => {
      expect(await lostAnywhere({ seed })).toEqual([])
    },
  )

  test('a cut during the first start does not stop the next one', async () => {
    const files = new RecordingFileLayer({ seed: 1 })
    await using store = await openDiskBlobStore({ path, files })
    await store.check()
    for (let step = 0; step <= files.steps; step += 23) await lostAt(step, files, [])
  })

  test.each(['syncFolder', 'datasync'] as const)(
    'this test notices when %s does nothing',
    async (operation) => {
      expect(await lostAnywhere({ seed: 1, ignored: [operation] })).not.toEqual([])
    },
  )
})
