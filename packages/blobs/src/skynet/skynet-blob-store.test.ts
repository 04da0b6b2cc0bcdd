import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lists, newBackendIdentity } from '@openregistry/core'
import { blobStoreContract, bytesOf, newKey, read, reusing, SkynetPortal } from '@openregistry/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openSkynetBlobStore, type SkynetBlobStoreOptions } from './skynet-blob-store.ts'

const mebi = 1024 * 1024
let portal: SkynetPortal
let spool: string

beforeAll(async () => {
  portal = await SkynetPortal.start()
  spool = await mkdtemp(join(tmpdir(), 'openregistry-skynet-'))
})

afterEach(() => {
  portal.deletes = true
  portal.apiKey = null
})

afterAll(async () => {
  await portal[Symbol.asyncDispose]()
  await rm(spool, { recursive: true })
})

let stores = 0

/** A store of a registry of its own; all have one portal. */
function open(over: Partial<SkynetBlobStoreOptions> = {}) {
  const registry = `registry-${stores++}`
  const settings = { portalUrl: portal.url, apiKey: null, secret: 'a secret of all servers', spool, registry }
  return openSkynetBlobStore({ ...settings, ...over })
}

blobStoreContract('skynet', () => open())

test('it says what it is not: it has no list, and is public unless told otherwise', async () => {
  await using store = await open()
  expect([lists(store), store.public, store.backend]).toEqual([false, true, 'skynet'])
  await using closed = await open({ public: false })
  expect(closed.public).toBe(false)
})

test('equal contents are objects of their own: one is deleted, and the other stays', async () => {
  await using store = await open()
  const [one, other, bytes] = [newKey(), newKey(), bytesOf(3 * mebi + 7)]
  const before = portal.skylinks.length
  for (const key of [one, other]) await store.write(key, reusing(bytes, 100_000))
  expect(portal.skylinks.length - before).toBe(2)
  await store.delete(one)
  expect(portal.skylinks.length - before).toBe(1)
  expect(await store.stat(one)).toBeNull()
  expect(Buffer.compare(await read(store, other), bytes)).toBe(0)
})

test('what a portal does not let go is not found any more, and its key is never used again', async () => {
  await using store = await open()
  const key = newKey()
  await store.write(key, reusing(bytesOf(10), 10))
  portal.deletes = false
  const held = portal.skylinks
  await store.delete(key)
  await store.delete(key)
  expect(portal.skylinks).toEqual(held)
  expect([await store.stat(key), await store.open(key)]).toEqual([null, null])
  await expect(store.write(key, reusing(bytesOf(10), 10))).rejects.toThrow()
})

test('what the portal has lost is missing, and can be deleted', async () => {
  await using store = await open()
  const key = newKey()
  const before = new Set(portal.skylinks)
  await store.write(key, reusing(bytesOf(10), 10))
  for (const skylink of portal.skylinks.filter((one) => !before.has(one))) portal.lose(skylink)
  expect([await store.stat(key), await store.open(key)]).toEqual([null, null])
  await store.delete(key)
})

test('all servers with the secret find an object, by any portal, and nobody without it', async () => {
  const registry = 'shared'
  await using one = await open({ registry })
  await using two = await open({ registry })
  await using stranger = await open({ registry, secret: 'another' })
  await using neighbour = await open({ registry: 'beside' })
  const key = newKey()
  await one.write(key, reusing(bytesOf(1000), 10))
  expect(await two.stat(key)).toEqual({ size: 1000 })
  for (const store of [stranger, neighbour]) expect(await store.stat(key)).toBeNull()
})

test('of several servers that claim at once, one wins when the database has spoken', async () => {
  const registry = 'claimed'
  await using one = await open({ registry })
  await using two = await open({ registry })
  const identities = [newBackendIdentity(), newBackendIdentity()] as const
  await Promise.all([one.claim(identities[0]), two.claim(identities[1])])
  await (one as typeof one & { concede(identity: string): Promise<void> }).concede(identities[0])
  const held = await two.readIdentity()
  expect(identities).toContain(held)
  await (one as typeof one & { concede(identity: string): Promise<void> }).concede(newBackendIdentity())
  expect(await two.readIdentity()).toBe(held)
})

test('an API key is sent with every call, and a wrong one is named by its place alone', async () => {
  portal.apiKey = 'canary-of-a-key'
  await using store = await open({ apiKey: 'canary-of-a-key' })
  const key = newKey()
  await store.write(key, reusing(bytesOf(100), 10))
  expect((await read(store, key)).length).toBe(100)
  await store.check()
  await store.delete(key)
  const secrets = { apiKey: 'canary-of-another', secret: 'canary-of-a-secret' }
  await using locked = await open(secrets)
  for (const ask of [() => locked.check(), () => locked.stat(key), () => locked.readIdentity()]) {
    const fault = (await ask().catch((error: unknown) => error)) as Error
    expect(fault).toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    const said = [fault, fault.cause].map((error) => (error as Error).stack).join('\n')
    expect(said).toContain('authentication failed')
    expect(said).not.toContain('canary')
  }
})

test('a check uploads nothing, and nothing stays in the spool', async () => {
  const before = portal.skylinks
  await using store = await open()
  await store.check()
  expect(portal.skylinks).toEqual(before)
  expect(await readdir(spool)).toEqual([])
})
