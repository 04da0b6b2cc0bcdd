import { describe, expect, test } from 'vitest'
import { newBackendIdentity } from '../ports/backend-identity.ts'
import { newStorageKey, newUploadId, uploadOf, type StorageKey } from '../ports/storage-key.ts'
import { Disk, KnownBackend, MountableBackend } from './mountable-backend.ts'
import { ownBlobStore } from './own-blob-store.ts'
import { Ownership } from './ownership.ts'

const absent = newStorageKey(newUploadId())

/** A backend with some objects that belongs to a database, and the store that answers for it. */
function createBackend() {
  const identity = newBackendIdentity()
  const own = new Disk()
  own.identity = identity
  const [key] = own.fill(3) as [StorageKey]
  const beneath = new MountableBackend(own)
  const known = new KnownBackend()
  known.identity = identity
  const ownership = new Ownership(beneath, known, identity)
  return { own, key, beneath, known, ownership, store: ownBlobStore(beneath, ownership) }
}

async function* once(bytes = Uint8Array.of(1, 2)): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function listed(list: AsyncIterable<StorageKey>): Promise<StorageKey[]> {
  return Array.fromAsync(list)
}

/** Disks that may lie where the right one should. */
const strangers: [string, () => Disk, RegExp][] = [
  ['is not mounted', () => new Disk(), /is not there, or has no registry\.id/],
  [
    'is another registry’s',
    () => {
      const disk = new Disk()
      disk.identity = newBackendIdentity()
      disk.fill(2)
      return disk
    },
    /is another one than the database knows/,
  ],
]

describe('a disk that is the right one', () => {
  test('is believed, whatever is there or is not', async () => {
    const { store, key, own } = createBackend()
    expect(await store.stat(absent)).toBeNull()
    expect(await store.open(absent)).toBeNull()
    expect(await store.write(absent, once())).toEqual({ size: 2 })
    expect(await listed(store.list(''))).toEqual([...own.objects.keys()])
    expect(await listed(store.listUploads(new Set([uploadOf(key)])))).toContain(key)
    await store.delete(key)
    await store.delete(key)
    expect(own.objects.has(key)).toBe(false)
    await store.check()
  })

  test('is asked for nothing when what is wanted is there', async () => {
    const { store, key, beneath } = createBackend()
    await using reader = await store.open(key)
    expect(reader?.size).toBe(1)
    expect(await store.stat(key)).toEqual({ size: 1 })
    expect(beneath.questions).toBe(0)
  })

  test('keeps its other abilities', async () => {
    const { store } = createBackend()
    expect('list' in store).toBe(true)
    expect(store.place).toBe('the folder /blobs')
    expect(await store.readIdentity()).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe.each(strangers)('a disk that %s', (_what, createStranger, reason) => {
  const refused = {
    code: 'STORAGE_UNAVAILABLE',
    message: 'The storage backend does not answer.',
    cause: { message: expect.stringMatching(reason) as string },
  }

  test.each<
    [string, (store: ReturnType<typeof createBackend>['store'], key: StorageKey) => Promise<unknown>]
  >([
    ['open', (store, key) => store.open(key)],
    ['stat', (store, key) => store.stat(key)],
    ['delete', (store, key) => store.delete(key)],
    ['a list', (store) => listed(store.list(''))],
    ['a list of an upload', (store, key) => listed(store.list(key.slice(0, 33)))],
    ['a list of many uploads', (store, key) => listed(store.listUploads(new Set([uploadOf(key)])))],
    ['check', (store) => store.check()],
  ])('%s says so, from the first moment', async (_operation, operate) => {
    const { store, key, beneath } = createBackend()
    // It was fine a moment ago.
    await store.check()
    beneath.disk = createStranger()
    await expect(operate(store, key)).rejects.toMatchObject(refused)
  })

  test('takes nothing in, not even while it is changed', async () => {
    const { store, beneath, own } = createBackend()
    const stranger = createStranger()
    const held = stranger.objects.size
    await store.check()
    beneath.disk = stranger
    await expect(store.write(absent, once())).rejects.toMatchObject(refused)
    expect(stranger.objects.size).toBe(held)
    // The disk is back: what was not acknowledged is not there, everything else is.
    beneath.disk = own
    expect(await store.stat(absent)).toBeNull()
    await store.write(absent, once())
    expect(own.objects.size).toBe(4)
  })
})

test('a disk that was away for the length of a write has not got it', async () => {
  const { store, own, beneath } = createBackend()
  await store.check()
  const bare = new Disk()
  beneath.disk = bare
  // A driver goes on in the folder that it has begun in.
  beneath.write = async (key, source) => {
    for await (const bytes of source) bare.objects.set(key, bytes)
    beneath.disk = own
    return { size: 2 }
  }
  await expect(store.write(absent, once())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await store.stat(absent)).toBeNull()
})

test.each<[string, (store: ReturnType<typeof createBackend>['store'], key: StorageKey) => Promise<unknown>]>([
  ['open', (store, key) => store.open(key)],
  ['stat', (store, key) => store.stat(key)],
])(
  'a disk that comes back between an answer of %s and its confirmation has what it had',
  async (_what, ask) => {
    const { store, own, beneath, key } = createBackend()
    const bare = new Disk()
    beneath.disk = bare
    const { open, stat } = beneath
    const thenBack = <T>(answer: Promise<T>): Promise<T> => answer.finally(() => (beneath.disk = own))
    beneath.open = (asked) => thenBack(open.call(beneath, asked))
    beneath.stat = (asked) => thenBack(stat.call(beneath, asked))
    expect(await ask(store, key)).not.toBeNull()
  },
)

test('a backend that stays what it is is asked once for many writes', async () => {
  const { own, known, beneath } = createBackend()
  const settled = Object.assign(beneath, { mountable: false })
  const store = ownBlobStore(settled, new Ownership(settled, known, own.identity!))
  await store.write(absent, once())
  await store.write(absent, once())
  await store.delete(absent)
  expect(beneath.questions).toBe(1)
  await store.stat(absent)
  expect(beneath.questions).toBe(2)
})

test('a database that was given the backend anew is followed', async () => {
  const { store, own, known } = createBackend()
  own.identity = newBackendIdentity()
  await expect(store.stat(absent)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  known.identity = own.identity
  expect(await store.stat(absent)).toBeNull()
  known.away = true
  expect(await store.stat(absent)).toBeNull()
})

test('a database that is away proves nothing', async () => {
  const { store, own, known } = createBackend()
  own.identity = newBackendIdentity()
  known.away = true
  await expect(store.stat(absent)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    cause: { code: 'METADATA_UNAVAILABLE' },
  })
})

test('many who ask at once share a question, but none that was asked before', async () => {
  const { beneath, ownership, own } = createBackend()
  const gate = Promise.withResolvers<void>()
  beneath.beforeIdentity = () => gate.promise
  const first = ownership.confirm()
  // The disk goes after the first question was asked, and before the others ask.
  beneath.disk = new Disk()
  const others = Array.from({ length: 50 }, () => ownership.confirm())
  gate.resolve()
  await first
  for (const other of others) await expect(other).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(beneath.questions).toBe(2)
  beneath.disk = own
  await ownership.confirm()
})
