import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import {
  newBackendIdentity,
  newStorageKey,
  newUploadId,
  redirectsReads,
  type BlobStore,
  type Lists,
  type StorageKey,
} from '@openregistry/core'
import { blobStoreContract, describeWithS3, type S3Access } from '@openregistry/testkit'
import { Bucket } from './bucket.ts'
import { openS3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.ts'
import { testSettings } from './test-settings.ts'

const mebi = 1024 * 1024

function open(access: S3Access, over: Partial<S3BlobStoreOptions> = {}) {
  return openS3BlobStore({ ...testSettings, ...access, ...over })
}

const newKey = (): StorageKey => newStorageKey(newUploadId())

async function* cut(bytes: Uint8Array, size = mebi): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function keysOf(store: Lists, prefix = ''): Promise<StorageKey[]> {
  const keys: StorageKey[] = []
  for await (const key of store.list(prefix)) keys.push(key)
  return keys
}

async function read(store: BlobStore, key: StorageKey): Promise<Buffer> {
  await using reader = await store.open(key)
  const chunks: Uint8Array[] = []
  for await (const chunk of reader?.chunks ?? []) chunks.push(new Uint8Array(chunk))
  return Buffer.concat(chunks)
}

describeWithS3('S3', (server) => {
  blobStoreContract('s3', async () => open(await server().createBucket()))
  // One part in memory at a time, and names below others.
  blobStoreContract('s3, short of memory', async () =>
    open(await server().createBucket(), { writeMemory: 0, prefix: 'registry/blobs/', connections: 4 }),
  )

  test.each([0, 64 * mebi])(
    'an object of many parts is whole, with %i bytes of memory',
    async (writeMemory) => {
      await using store = await open(await server().createBucket(), { writeMemory })
      for (const size of [5 * mebi, 10 * mebi, 27 * mebi + 5]) {
        const [key, bytes] = [newKey(), randomBytes(size)]
        expect(await store.write(key, cut(bytes, 700_001))).toEqual({ size })
        expect(await store.stat(key)).toEqual({ size })
        expect(Buffer.compare(await read(store, key), bytes)).toBe(0)
      }
    },
  )

  test('what a killed process has left of an upload is listed, and goes with a deletion', async () => {
    const access = await server().createBucket()
    await using store = await open(access, { prefix: 'a/' })
    using bucket = await Bucket.open({ ...testSettings, ...access })
    const [key, other] = [newKey(), newKey()]
    const never = new AbortController().signal
    const begun = { name: `a/${key}`, id: await bucket.createUpload(`a/${key}`, {}, never) }
    const part = await bucket.sendPart(begun, { number: 1, bytes: randomBytes(5 * mebi) }, never)
    await bucket.createUpload(`a/${key}`, {}, never)
    await bucket.createUpload(`b/${other}`, {}, never)
    expect(await store.stat(key)).toBeNull()
    expect(await keysOf(store)).toEqual([key])
    expect(await keysOf(store, key.slice(0, 33))).toEqual([key])
    expect(await keysOf(store, other.slice(0, 33))).toEqual([])
    await store.delete(key)
    expect(await keysOf(store)).toEqual([])
    expect(await bucket.completeUpload(begun, [part])).toBe('unknown')
    expect(await store.stat(key)).toBeNull()
  })

  test('only objects of ours are listed, however many pages there are', async () => {
    const access = await server().createBucket()
    await using store = await open(access, { prefix: 'r/' })
    const folder = join(server().folder, access.bucket)
    const upload = newUploadId()
    const keys = Array.from({ length: 2300 }, () => newStorageKey(upload))
    await mkdir(join(folder, 'r', upload), { recursive: true })
    for (const key of keys) await writeFile(join(folder, 'r', key), 'x')
    for (const name of ['r/probe-1', `r/${upload}/short`, `r/${upload.toUpperCase()}`, newUploadId()]) {
      await writeFile(join(folder, name), 'x')
    }
    expect((await keysOf(store, `${upload}/`)).toSorted()).toEqual(keys.toSorted())
    expect((await keysOf(store)).toSorted()).toEqual(keys.toSorted())
  })

  test('nothing but its settings matters to it', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody')
    vi.stubEnv('AWS_PROFILE', 'nobody')
    vi.stubEnv('AWS_REGION', 'elsewhere-1')
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true')
    vi.stubEnv('AWS_REQUEST_CHECKSUM_CALCULATION', 'when_supported')
    try {
      await using store = await open(await server().createBucket())
      await store.check()
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('what is no identity is replaced by one', async () => {
    const access = await server().createBucket()
    await using store = await open(access, { prefix: 'i/' })
    const file = join(server().folder, access.bucket, 'i', 'registry.id')
    await mkdir(join(file, '..'))
    for (const wrong of ['half of one', 'x'.repeat(100_000), '']) {
      await writeFile(file, wrong)
      expect(await store.readIdentity()).toBeNull()
      const identity = newBackendIdentity()
      expect(await store.claim(identity)).toBe(identity)
      expect(await store.readIdentity()).toBe(identity)
    }
  })

  test('a check leaves nothing', async () => {
    const access = await server().createBucket()
    await using store = await open(access)
    using bucket = await Bucket.open({ ...testSettings, ...access })
    await Promise.all([store.check(), store.check()])
    for await (const name of bucket.objects('')) expect(name).toBe('')
  })

  test('without its bucket nothing is known of an object', async () => {
    const access = await server().createBucket()
    await using store = await open({ ...access, bucket: 'nowhere' })
    const key = newKey()
    for (const ask of [
      () => store.stat(key),
      () => store.open(key),
      () => store.open(key, { offset: 1, length: 2 }),
      () => store.delete(key),
      () => keysOf(store),
      () => store.check(),
      () => store.readIdentity(),
      () => store.claim(newBackendIdentity()),
      () => store.write(key, cut(randomBytes(10))),
      () => store.write(key, cut(randomBytes(11 * mebi))),
    ]) {
      const fault = await Promise.resolve(ask()).catch((error: unknown) => error)
      expect(fault).toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      expect(String((fault as Error).cause)).toMatch(
        /NoSuchBucket.*Make the bucket, or correct dfs\.s3\.bucket/,
      )
    }
  })

  test('clients can be sent to an object, which needs no credentials then, for ranges too', async () => {
    const access = await server().createBucket()
    await using plain = await open(access)
    expect(redirectsReads(plain)).toBe(false)
    await using store = await open(access, { redirect: true, prefix: 'p/' })
    const [key, bytes] = [newKey(), randomBytes(100_000)]
    await store.write(key, cut(bytes))
    if (!redirectsReads(store)) throw new Error('no redirects')
    const url = await store.redirect(key)
    expect(url).not.toContain(access.secretKey)
    const whole = await fetch(url)
    expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), bytes)).toBe(0)
    const part = await fetch(url, { headers: { Range: 'bytes=5-9' } })
    expect([part.status, ...Buffer.from(await part.arrayBuffer())]).toEqual([206, ...bytes.subarray(5, 10)])
    expect((await fetch(url.replace(key, newKey()))).status).toBe(403)
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403)
  })

  test('the server dies while an object is written, and while one is read', async () => {
    const access = await server().createBucket()
    await using store = await open(access, { attempts: 2 })
    const [old, key, bytes] = [newKey(), newKey(), randomBytes(20 * mebi)]
    await store.write(old, cut(bytes))
    async function* dying(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* cut(bytes.subarray(0, 12 * mebi))
      await server().stop('SIGKILL')
      yield* cut(bytes)
    }
    await expect(store.write(key, dying())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await server().start()
    expect(await store.stat(key)).toBeNull()
    await store.delete(key)
    expect(await keysOf(store)).toEqual([old])
    await using reader = await store.open(old)
    const got: Buffer[] = []
    for await (const chunk of reader?.chunks ?? []) {
      if (got.length === 0) {
        await server().stop('SIGKILL')
        await server().start()
      }
      got.push(Buffer.from(chunk))
    }
    expect(Buffer.compare(Buffer.concat(got), bytes)).toBe(0)
  })
})
