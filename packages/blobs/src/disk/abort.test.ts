import { expect, test } from 'vitest'
import { newStorageKey, newUploadId } from '@openregistry/core'
import { RecordingFileLayer } from '@openregistry/testkit'
import { openDiskBlobStore } from './disk-blob-store.ts'

const path = '/data/blobs'

async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = 0; chunk < 5; chunk++) yield new Uint8Array(1000).fill(chunk)
}

/** Writes one object while the signal aborts at the operation of that number; answers whether it came so far. */
async function abortedAt(operation: number): Promise<boolean> {
  const aborting = new AbortController()
  const reason = new Error('the client went away')
  let left = Infinity
  const files = new RecordingFileLayer({
    seed: operation,
    before: () => {
      if (left-- === 0) aborting.abort(reason)
    },
  })
  await using store = await openDiskBlobStore({ path, files, writeBackEvery: 1000 })
  const key = newStorageKey(newUploadId())
  left = operation
  const writing = store.write(key, source(), { signal: aborting.signal })
  const outcome = await writing.then(
    () => null,
    (error: unknown) => error,
  )
  left = Infinity
  expect(files.openFiles).toBe(0)
  expect(outcome).toBe(aborting.signal.aborted ? reason : null)
  expect(await store.stat(key)).toEqual(aborting.signal.aborted ? null : { size: 5000 })
  return aborting.signal.aborted
}

test('an abort at any file operation of a write leaves nothing', async () => {
  let operation = 0
  while (await abortedAt(operation)) operation += 1
  // One to create, five to write, some to sync, one to close, one for the folder.
  expect(operation).toBeGreaterThan(8)
})
