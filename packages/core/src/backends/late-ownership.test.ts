import { expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import { newStorageKey, newUploadId } from '../ports/storage-key.ts'
import { ownedOnceThere } from './late-ownership.ts'
import { Disk, KnownBackend, MountableBackend } from './mountable-backend.ts'
import { ownBlobStore } from './own-blob-store.ts'
import { tieBackend } from './tie-backend.ts'

const noWait = 0

/** A backend that does not answer until it is told to, and the store that answers for it. */
async function createAway(disk = new Disk(), mountable = true) {
  const beneath = Object.assign(new MountableBackend(disk), { mountable })
  const known = new KnownBackend()
  const away = { yes: true }
  beneath.beforeIdentity = () =>
    away.yes ? Promise.reject(new RegistryError('STORAGE_UNAVAILABLE')) : Promise.resolve()
  let ties = 0
  const ownership = await ownedOnceThere(beneath, () => {
    ties++
    return tieBackend(known, beneath, noWait)
  })
  return { beneath, known, away, store: ownBlobStore(beneath, ownership), ties: () => ties }
}

async function* once(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1)
}

test('a backend that is not there yet refuses, and is tied once it is there', async () => {
  const { store, away, known, beneath, ties } = await createAway()
  const key = newStorageKey(newUploadId())
  expect(ties()).toBe(0)
  for (let round = 0; round < 2; round++)
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await expect(store.write(key, once())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(known.identity).toBeNull()
  away.yes = false
  await Promise.all([store.check(), store.write(key, once()), store.stat(newStorageKey(newUploadId()))])
  expect(known.identity).not.toBeNull()
  expect(beneath.disk.identity).toBe(known.identity)
  const settled = ties()
  await store.check()
  expect(ties()).toBe(settled)
})

test('nothing is given to a bucket, or taken from it, before it is known', async () => {
  const stranger = new Disk()
  const [theirs] = stranger.fill(1)
  const { store, away } = await createAway(stranger, false)
  away.yes = false
  const key = newStorageKey(newUploadId())
  await expect(store.write(key, once())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await expect(store.delete(theirs!)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect([...stranger.objects.keys()]).toEqual([theirs])
})

test('one that turns out to be somebody else’s stays refused, and is told apart', async () => {
  const stranger = new Disk()
  stranger.fill(2)
  const { store, away, known } = await createAway(stranger)
  away.yes = false
  for (let round = 0; round < 2; round++)
    await expect(store.stat(newStorageKey(newUploadId()))).rejects.toMatchObject({
      message: 'The storage backend does not answer.',
      cause: { message: expect.stringContaining('holds objects of another registry') as string },
    })
  expect(known.identity).toBeNull()
})

test('one that is there is tied at once, or refused at once', async () => {
  const [known, own, stranger] = [new KnownBackend(), new MountableBackend(), new MountableBackend()]
  await ownedOnceThere(own, () => tieBackend(known, own, noWait))
  expect(own.disk.identity).toBe(known.identity)
  stranger.disk.fill(1)
  const another = new KnownBackend()
  await expect(ownedOnceThere(stranger, () => tieBackend(another, stranger, noWait))).rejects.toThrow()
})

test('one that does not say anything is not waited for', async () => {
  const beneath = new MountableBackend()
  const known = new KnownBackend()
  const speaking = Promise.withResolvers<void>()
  beneath.beforeIdentity = () => speaking.promise
  const store = ownBlobStore(
    beneath,
    await ownedOnceThere(beneath, () => tieBackend(known, beneath, noWait), 10),
  )
  const checked = store.check()
  speaking.resolve()
  await checked
  expect(beneath.disk.identity).toBe(known.identity)
})
