import { describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId, type BlobStore, type Lists, type StorageKey } from '@openregistry/core'
import { errno, RecordingFileLayer, type FileOperation, type RecordingOptions } from '@openregistry/testkit'
import { openDiskBlobStore } from './disk-blob-store.ts'

const path = '/data/blobs'
const chunk = 10_000

/** A disk whose operations fail on demand. */
class BrokenDisk {
  readonly files: RecordingFileLayer
  #fails: { operation: FileOperation; error: Error; after: number } | null = null

  constructor(options: RecordingOptions = {}) {
    const before = (operation: FileOperation): void => {
      if (this.#fails?.operation !== operation) return
      if (this.#fails.after-- <= 0) throw this.#fails.error
    }
    this.files = new RecordingFileLayer({ ...options, before })
  }

  open(): Promise<BlobStore & Lists> {
    return openDiskBlobStore({ path, files: this.files, writeBackEvery: chunk })
  }

  /** Every such operation fails, once so many of them have succeeded. */
  fail(operation: FileOperation, error: Error, after = 0): void {
    this.#fails = { operation, error, after }
  }

  mend(): void {
    this.#fails = null
  }
}

const newKey = (): StorageKey => newStorageKey(newUploadId())
const content = Uint8Array.from({ length: 5 * chunk }, (_, index) => index % 251)

async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += chunk) yield content.slice(at, at + chunk)
}

async function expectEmpty(store: Lists): Promise<void> {
  const left: StorageKey[] = []
  for await (const key of store.list('')) left.push(key)
  expect(left).toEqual([])
}

describe('a disk that fails', () => {
  const operations = [
    ['create', 0],
    ['write', 0],
    ['write', 3],
    ['datasync', 0],
    ['datasync', 1],
    ['close', 0],
    ['syncFolder', 0],
  ] as const
  const faults = [
    ['EIO', 'STORAGE_UNAVAILABLE'],
    ['ENOSPC', 'STORAGE_FULL'],
    ['EDQUOT', 'STORAGE_FULL'],
    ['EMFILE', 'STORAGE_UNAVAILABLE'],
  ] as const
  const cases = operations.flatMap(([operation, after]) =>
    faults.map(([code, answer]) => [operation, after, code, answer] as const),
  )

  test.each(cases)(
    '%s (after %i) fails with %s: %s, and nothing is left',
    async (operation, after, code, answer) => {
      const disk = new BrokenDisk()
      await using store = await disk.open()
      const error = errno(code, path)
      disk.fail(operation, error, after)
      await expect(store.write(newKey(), source())).rejects.toMatchObject({ code: answer, cause: error })
      disk.mend()
      await expectEmpty(store)
      // This disk does not close what it fails to close; a real one does.
      expect(disk.files.openFiles).toBe(operation === 'close' ? 1 : 0)
    },
  )

  test('a failed sync in the background is not forgotten when the last one succeeds', async () => {
    const disk = new BrokenDisk()
    await using store = await disk.open()
    const error = errno('EIO', path)
    disk.fail('datasync', error)
    const failOnce = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      let chunks = 0
      for await (const piece of source()) {
        yield piece
        // The first chunk began a background sync, which has failed by now.
        if (++chunks === 1) await new Promise((resolve) => setImmediate(resolve))
        disk.mend()
      }
    }
    await expect(store.write(newKey(), failOnce())).rejects.toMatchObject({ cause: error })
    await expectEmpty(store)
  })

  test('when the file cannot be removed either, the first error is the one that is thrown', async () => {
    const disk = new BrokenDisk()
    await using store = await disk.open()
    const broken = new Error('the client went away')
    disk.fail('unlink', errno('EROFS', path))
    const failing = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield* source()
      throw broken
    }
    await expect(store.write(newKey(), failing())).rejects.toBe(broken)
  })

  test('short writes are completed', async () => {
    const disk = new BrokenDisk({ largestWrite: 777 })
    await using store = await disk.open()
    const key = newKey()
    expect(await store.write(key, source())).toEqual({ size: content.length })
    expect(await readAll(store, key)).toEqual(content)
  })

  test.each(['open', 'size', 'read'] as const)(
    '%s fails: the read fails, and no file stays open',
    async (operation) => {
      const disk = new BrokenDisk()
      await using store = await disk.open()
      const key = newKey()
      await store.write(key, source())
      disk.fail(operation, errno('EIO', path))
      await expect(readAll(store, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      expect(disk.files.openFiles).toBe(0)
    },
  )

  test('delete, stat and check say what is wrong', async () => {
    const disk = new BrokenDisk()
    await using store = await disk.open()
    const key = newKey()
    await store.write(key, source())
    disk.fail('unlink', errno('EROFS', path))
    await expect(store.delete(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    disk.fail('size', errno('EIO', path))
    await expect(store.stat(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    disk.fail('datasync', errno('ENOSPC', path))
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(disk.files.openFiles).toBe(0)
    disk.fail('makeFolder', errno('EACCES', path))
    await expect(disk.open()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  test('a file that has become shorter is an error, never a clean end', async () => {
    const disk = new BrokenDisk()
    await using store = await disk.open()
    const key = newKey()
    await store.write(key, source())
    const files = shortened(disk.files, 2 * chunk)
    await using lying = await openDiskBlobStore({ path, files })
    await expect(readAll(lying, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })
})

/** Files that keep their size and lose what lies behind `length`, as after damage. */
function shortened(files: RecordingFileLayer, length: number): RecordingFileLayer {
  return new Proxy(files, {
    get(target, name) {
      if (name !== 'open') {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (at: string) => {
        const file = await target.open(at)
        return {
          ...file,
          read: (into: Uint8Array, wanted: number, position: number) =>
            file.read(into, Math.max(0, Math.min(wanted, length - position)), position),
        }
      }
    },
  })
}

async function readAll(store: BlobStore, key: StorageKey): Promise<Uint8Array> {
  await using reader = await store.open(key)
  const chunks: Uint8Array[] = []
  for await (const piece of reader?.chunks ?? []) chunks.push(new Uint8Array(piece))
  return new Uint8Array(Buffer.concat(chunks))
}
