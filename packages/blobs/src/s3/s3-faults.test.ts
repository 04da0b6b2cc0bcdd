import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newStorageKey, newUploadId, type BlobStore, type Lists, type StorageKey } from '@openregistry/core'
import { describeWithS3, S3FaultProxy, type S3Access, type S3Fault } from '@openregistry/testkit'
import { Bucket } from './bucket.ts'
import { openS3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.ts'
import { testSettings } from './test-settings.ts'

const mebi = 1024 * 1024
const bytes = randomBytes(12 * mebi + 7)
const small = bytes.subarray(0, 100_000)

const busy: S3Fault = { kind: 'refuse', status: 503, code: 'SlowDown' }
const broken: S3Fault = { kind: 'refuse', status: 500, code: 'InternalError' }

const newKey = (): StorageKey => newStorageKey(newUploadId())

async function* cut(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += mebi) yield content.subarray(at, at + mebi)
}

describeWithS3('S3 that has bad days', (server) => {
  const opened = new AsyncDisposableStack()
  let proxy: S3FaultProxy
  let access: S3Access
  let store: BlobStore & Lists
  /** The same bucket without a proxy before it. */
  let beside: Bucket

  const open = async (over: Partial<S3BlobStoreOptions> = {}): Promise<BlobStore & Lists> =>
    opened.use(await openS3BlobStore({ ...testSettings, ...access, endpoint: proxy.endpoint, ...over }))

  beforeAll(async () => {
    proxy = opened.use(await S3FaultProxy.start(server().endpoint))
    access = await server().createBucket()
    store = await open()
    beside = opened.use(await Bucket.open({ ...testSettings, ...access }))
  })
  afterAll(() => opened.disposeAsync())
  beforeEach(() => proxy.reset())

  /** The first so many requests of an operation meet a fault. */
  const fail = (operation: string, fault: S3Fault, times = Infinity): void => {
    proxy.fault = (request) => (request.operation === operation && request.count <= times ? fault : null)
  }

  async function read(key: StorageKey, range?: { offset: number; length: number }): Promise<Buffer> {
    await using reader = await store.open(key, range)
    const chunks: Uint8Array[] = []
    for await (const chunk of reader?.chunks ?? []) chunks.push(new Uint8Array(chunk))
    return Buffer.concat(chunks)
  }

  /** Of a key there is nothing: no object, and no upload that was begun. */
  async function expectNothing(key: StorageKey): Promise<void> {
    proxy.fault = null
    expect(await beside.head(key)).toBeNull()
    for await (const upload of beside.openUploads(key)) expect(upload).toBeNull()
  }

  async function expectWhole(key: StorageKey, content: Uint8Array): Promise<void> {
    proxy.fault = null
    expect(Buffer.compare(await read(key), content)).toBe(0)
    for await (const upload of beside.openUploads(key)) expect(upload).toBeNull()
  }

  const unavailable = { code: 'STORAGE_UNAVAILABLE' }

  describe.each([
    ['busy', busy],
    ['broken', broken],
    ['cut off', { kind: 'cut request', after: 0 }],
  ] as [string, S3Fault][])('%s for a moment', (_name, fault) => {
    test.each([
      ['PutObject', small],
      ['CreateMultipartUpload', bytes],
      ['UploadPart', bytes],
      ['CompleteMultipartUpload', bytes],
    ])('at %s: the write goes on', async (operation, content) => {
      const key = newKey()
      // Parts are sent side by side, each of them meets it once.
      const met = new Set<string>()
      proxy.fault = (request) => {
        if (request.operation !== operation || met.has(request.path)) return null
        met.add(request.path)
        return fault
      }
      expect(await store.write(key, cut(content))).toEqual({ size: content.length })
      expect(met.size).toBe(operation === 'UploadPart' ? 3 : 1)
      await expectWhole(key, content)
    })
  })

  test('for a moment, at everything else', async () => {
    const key = newKey()
    await store.write(key, cut(small))
    for (const operation of [
      'HeadObject',
      'GetObject',
      'ListObjectsV2',
      'ListMultipartUploads',
      'DeleteObject',
    ]) {
      proxy.reset()
      fail(operation, busy, 1)
      if (operation === 'HeadObject') expect(await store.stat(key)).toEqual({ size: small.length })
      else if (operation === 'GetObject') expect((await read(key)).length).toBe(small.length)
      else if (operation.startsWith('List'))
        for await (const found of store.list(key)) expect(found).toBe(key)
      else await store.delete(key)
      expect(proxy.count(operation)).toBe(2)
    }
    expect(await store.stat(key)).toBeNull()
  })

  test.each([
    ['PutObject', small],
    ['CreateMultipartUpload', bytes],
    ['UploadPart', bytes],
    ['CompleteMultipartUpload', bytes],
  ])(
    'for ever, at %s: the write fails after a few attempts and leaves nothing',
    async (operation, content) => {
      const key = newKey()
      fail(operation, broken)
      await expect(store.write(key, cut(content))).rejects.toMatchObject(unavailable)
      const parts = operation === 'UploadPart' ? 2 : 1
      expect(proxy.count(operation)).toBeLessThanOrEqual(parts * testSettings.attempts)
      expect(proxy.count(operation)).toBeGreaterThanOrEqual(testSettings.attempts)
      await expectNothing(key)
    },
  )

  test('a part is cut in its middle', async () => {
    const [key, other] = [newKey(), newKey()]
    fail('UploadPart', { kind: 'cut request', after: 3 * mebi }, 2)
    await store.write(key, cut(bytes))
    await expectWhole(key, bytes)
    fail('UploadPart', { kind: 'cut request', after: 3 * mebi })
    await expect(store.write(other, cut(bytes))).rejects.toMatchObject(unavailable)
    await expectNothing(other)
  })

  test('a part that was answered for is lost', async () => {
    const key = newKey()
    fail('UploadPart', { kind: 'pretend' }, 1)
    await expect(store.write(key, cut(bytes))).rejects.toMatchObject(unavailable)
    await expectNothing(key)
  })

  test('the end of an upload is answered for, and there is no object', async () => {
    const key = newKey()
    fail('CompleteMultipartUpload', { kind: 'pretend' })
    await expect(store.write(key, cut(bytes))).rejects.toMatchObject(unavailable)
    await expectNothing(key)
  })

  test.each([
    ['PutObject', small],
    ['CompleteMultipartUpload', bytes],
  ])('the answer to %s gets lost: the object that is there is found', async (operation, content) => {
    const key = newKey()
    fail(operation, { kind: 'lose answer' }, 1)
    expect(await store.write(key, cut(content))).toEqual({ size: content.length })
    await expectWhole(key, content)
    const other = newKey()
    fail(operation, { kind: 'lose answer' })
    expect(await store.write(other, cut(content))).toEqual({ size: content.length })
    await expectWhole(other, content)
  })

  test('an error comes in the body of a good answer to the end of an upload', async () => {
    const [key, other] = [newKey(), newKey()]
    fail('CompleteMultipartUpload', { kind: 'error in body' }, 1)
    await store.write(key, cut(bytes))
    await expectWhole(key, bytes)
    fail('CompleteMultipartUpload', { kind: 'error in body' })
    await expect(store.write(other, cut(bytes))).rejects.toMatchObject(unavailable)
    await expectNothing(other)
  })

  test('a key that somebody else has used is refused, and their object stays', async () => {
    const key = newKey()
    await beside.put(key, small, { write: 'somebody else' })
    for (const content of [small, bytes]) {
      await expect(store.write(key, cut(content))).rejects.toMatchObject({ code: 'INTERNAL' })
    }
    await expectWhole(key, small)
  })

  test('a service that knows no conditions is asked before', async () => {
    const other = await open()
    proxy.fault = ({ operation, count }) => {
      if (operation !== 'PutObject') return null
      return count === 1
        ? { kind: 'refuse', status: 501, code: 'NotImplemented' }
        : { kind: 'without header', name: 'if-none-match' }
    }
    const key = newKey()
    // The header is signed, so without it the signature is wrong: it must not be sent at all any more.
    await other.write(key, cut(small))
    await expect(other.write(key, cut(small))).rejects.toMatchObject({ code: 'INTERNAL' })
    await expectWhole(key, small)
  })

  test('a service that lists no uploads', async () => {
    const key = newKey()
    fail('ListMultipartUploads', { kind: 'refuse', status: 501, code: 'NotImplemented' })
    await store.write(key, cut(small))
    const found: StorageKey[] = []
    for await (const one of store.list(key)) found.push(one)
    expect(found).toEqual([key])
    await store.delete(key)
    await expectNothing(key)
  })

  test('a read that breaks goes on where it was', async () => {
    const key = newKey()
    await store.write(key, cut(bytes))
    for (const range of [undefined, { offset: 5, length: 9 * mebi }]) {
      proxy.reset()
      proxy.fault = ({ operation }) =>
        operation === 'GetObject' ? { kind: 'cut answer', after: 4 * mebi } : null
      const expected = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length)
      expect(Buffer.compare(await read(key, range), expected)).toBe(0)
      expect(proxy.count('GetObject')).toBeGreaterThanOrEqual(3)
    }
  })

  test('a read that gets nowhere fails', async () => {
    const key = newKey()
    await store.write(key, cut(bytes))
    fail('GetObject', { kind: 'cut answer', after: 1 })
    await expect(read(key)).rejects.toMatchObject(unavailable)
    expect(proxy.count('GetObject')).toBeLessThanOrEqual(4)
    fail('GetObject', busy)
    await expect(read(key)).rejects.toMatchObject(unavailable)
  })

  test('a read goes on only with the same object', async () => {
    const key = newKey()
    await store.write(key, cut(bytes))
    proxy.fault = ({ operation, count }) =>
      operation === 'GetObject' && count === 1 ? { kind: 'cut answer', after: mebi } : null
    await using reader = await store.open(key)
    await beside.remove(key)
    await beside.put(key, randomBytes(bytes.length), {})
    const reading = (async () => {
      for await (const chunk of reader?.chunks ?? []) void chunk
    })()
    await expect(reading).rejects.toMatchObject(unavailable)
  })

  test('a service that ignores ranges is not believed', async () => {
    const key = newKey()
    await store.write(key, cut(small))
    fail('GetObject', { kind: 'without header', name: 'range' })
    await expect(read(key, { offset: 5, length: 10 })).rejects.toMatchObject(unavailable)
  })

  test('one that never answers is given up', async () => {
    const impatient = await open({ timeout: 300, attempts: 2 })
    const key = newKey()
    for (const operation of ['PutObject', 'UploadPart']) {
      proxy.reset()
      fail(operation, { kind: 'silence' })
      const content = operation === 'PutObject' ? small : bytes
      await expect(impatient.write(key, cut(content))).rejects.toMatchObject(unavailable)
      await expectNothing(key)
    }
    fail('GetObject', { kind: 'silence' })
    await expect(impatient.open(key)).rejects.toMatchObject(unavailable)
  })

  test('a client that goes away is not kept waiting by a part on its way', async () => {
    const key = newKey()
    const leaving = new AbortController()
    const reason = new Error('the client went away')
    proxy.fault = ({ operation }) => {
      if (operation !== 'UploadPart') return null
      setImmediate(() => leaving.abort(reason))
      return { kind: 'silence' }
    }
    await expect(store.write(key, cut(bytes), { signal: leaving.signal })).rejects.toBe(reason)
    await expectNothing(key)
  })

  test.each([
    [507, 'InsufficientStorage'],
    [403, 'QuotaExceeded'],
  ])('it is full: %i %s', async (status, code) => {
    const key = newKey()
    fail('PutObject', { kind: 'refuse', status, code })
    await expect(store.write(key, cut(small))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    await expectNothing(key)
  })

  test('no error names a secret, and each says what to do', async () => {
    const canary = 'canary-4f6d'
    const cases: [Partial<S3BlobStoreOptions>, RegExp][] = [
      [{ secretKey: `${canary}-secret` }, /Correct dfs\.s3\.access_key and dfs\.s3\.secret_key/],
      [{ accessKey: `${canary}-access` }, /Correct dfs\.s3\.access_key and dfs\.s3\.secret_key/],
      [{ endpoint: 'http://127.0.0.1:1', secretKey: `${canary}-secret` }, /correct dfs\.s3\.endpoint/],
      [{ region: 'elsewhere-1', secretKey: `${canary}-secret` }, /Correct dfs\.s3\.region/],
    ]
    for (const [wrong, advice] of cases) {
      const other = await open({ attempts: 2, ...wrong })
      const key = newKey()
      for (const ask of [
        () => other.check(),
        () => other.write(key, cut(bytes)),
        () => other.open(key),
        () => other.stat(key),
        () => other.delete(key),
      ]) {
        const fault: unknown = await ask().catch((error: unknown) => error)
        expect(fault).toMatchObject(unavailable)
        const shown = inspect(fault, { depth: Infinity, showHidden: true })
        expect(shown).not.toContain(canary)
        expect(shown).not.toMatch(/Credential=|Signature=/)
        if (ask.toString().includes('check')) expect(shown).toMatch(advice)
      }
    }
  })
})
