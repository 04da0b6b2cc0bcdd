import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobStore, KeepsIdentity, StorageKey } from '@openregistry/core'
import {
  HttpFaultProxy,
  newKey,
  read,
  reusing,
  SkynetPortal,
  type HttpFault,
  type ProxiedRequest,
} from '@openregistry/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openSkynetBlobStore } from './skynet-blob-store.ts'

const mebi = 1024 * 1024
const bytes = randomBytes(3 * mebi + 5)

const resources = new AsyncDisposableStack()
let portal: SkynetPortal
let proxy: HttpFaultProxy
let store: BlobStore & KeepsIdentity

beforeAll(async () => {
  portal = resources.use(await SkynetPortal.start())
  proxy = resources.use(await HttpFaultProxy.start(portal.url))
  const spool = await mkdtemp(join(tmpdir(), 'openregistry-skynet-'))
  resources.defer(() => rm(spool, { recursive: true }))
  const settings = { portalUrl: proxy.url, apiKey: null, secret: 'secret', spool }
  store = resources.use(await openSkynetBlobStore({ ...settings, timeout: 400, retryWithin: 1200 }))
})

afterEach(() => {
  proxy.fault = null
})

afterAll(() => resources.disposeAsync())

const isUpload = ({ path }: ProxiedRequest): boolean => path === '/skynet/skyfile'
const isWrite = ({ path, method }: ProxiedRequest): boolean =>
  path === '/skynet/registry' && method === 'POST'
const isEntry = ({ path, method }: ProxiedRequest): boolean => path === '/skynet/registry' && method === 'GET'
const isDownload = ({ path, method }: ProxiedRequest): boolean => method === 'GET' && path.length === 47

type Which = (request: ProxiedRequest) => boolean

/** The fault for the first so many requests of a kind. */
function fail(which: Which, fault: HttpFault, times = Infinity): { seen: () => number } {
  let seen = 0
  proxy.fault = (request) => (which(request) && seen++ < times ? fault : null)
  return { seen: () => seen }
}

async function write(key: StorageKey): Promise<void> {
  await store.write(key, reusing(bytes, 500_000))
}

async function written(): Promise<StorageKey> {
  const key = newKey()
  await write(key)
  return key
}

const broken: HttpFault[] = [
  { kind: 'refuse', status: 503, body: '<html>busy</html>' },
  { kind: 'refuse', status: 429, body: '{"message":"slow down"}' },
  { kind: 'cut request', after: 0 },
  { kind: 'lose answer' },
  { kind: 'cut answer', after: 1 },
  { kind: 'instead', body: '<html>a page of a proxy</html>' },
]

describe('what passes', () => {
  test.each(broken)('an upload meets $kind once, and is whole', async (fault) => {
    const { seen } = fail(isUpload, fault, 1)
    const key = await written()
    expect(seen()).toBe(2)
    expect(Buffer.compare(await read(store, key), bytes)).toBe(0)
  })

  test.each([
    ...broken.filter(({ kind }) => kind !== 'instead' && kind !== 'cut answer'),
    { kind: 'silence' } as const,
  ])('an entry meets $kind once, and is there once', async (fault) => {
    const { seen } = fail(isWrite, fault, 1)
    const key = await written()
    expect(seen()).toBe(2)
    expect(await store.stat(key)).toEqual({ size: bytes.length })
  })

  test.each([
    ...broken,
    { kind: 'short', by: 1 } as const,
    { kind: 'cut answer', after: mebi - 3 } as const,
    { kind: 'silence' } as const,
  ])('a download meets $kind once, and gives every byte', async (fault) => {
    const key = await written()
    fail(isDownload, fault, 1)
    expect(Buffer.compare(await read(store, key), bytes)).toBe(0)
  })
})

describe('what does not pass', () => {
  test.each([
    [isUpload, { kind: 'refuse', status: 500, body: '{"message":"no hosts"}' }, 'STORAGE_UNAVAILABLE'],
    [
      isUpload,
      { kind: 'refuse', status: 507, body: '{"message":"no space left on device"}' },
      'STORAGE_FULL',
    ],
    [isUpload, { kind: 'refuse', status: 413, body: 'too large' }, 'STORAGE_UNAVAILABLE'],
    [isUpload, { kind: 'silence' }, 'STORAGE_UNAVAILABLE'],
    [isWrite, { kind: 'refuse', status: 400, body: '{"message":"no"}' }, 'STORAGE_UNAVAILABLE'],
    [isWrite, { kind: 'refuse', status: 503, body: 'busy' }, 'STORAGE_UNAVAILABLE'],
  ] as [Which, HttpFault, string][])(
    'a write that ends in %o %o leaves nothing',
    async (which, fault, code) => {
      const key = newKey()
      const held = portal.skylinks
      fail(which, fault)
      await expect(write(key)).rejects.toMatchObject({ code })
      proxy.fault = null
      expect([await store.stat(key), portal.skylinks]).toEqual([null, held])
    },
  )

  test('a download that is short for ever ends, and no wrong end is given', async () => {
    const key = await written()
    const { seen } = fail(isDownload, { kind: 'short', by: 1 })
    await expect(read(store, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(seen()).toBeGreaterThan(1)
  })

  test('content of another size is not given at all', async () => {
    const key = await written()
    proxy.fault = ({ method }) => (method === 'HEAD' ? { kind: 'short', by: 1 } : null)
    await expect(store.open(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  test.each([
    { kind: 'wrong byte', at: 12 } as const,
    { kind: 'instead', body: '{"data":"00","revision":1,"signature":"00"}' } as const,
    { kind: 'instead', body: '{"data":1}' } as const,
    { kind: 'instead', body: '[' } as const,
  ])('an entry that we have not signed is none: $kind', async (fault) => {
    const key = await written()
    fail(isEntry, fault)
    await expect(store.stat(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  test('a deletion that fails can be done again', async () => {
    const key = await written()
    proxy.fault = ({ path }) =>
      path.startsWith('/skynet/unpin/') ? { kind: 'refuse', status: 500, body: 'no' } : null
    await expect(store.delete(key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(await store.stat(key)).toEqual({ size: bytes.length })
    proxy.fault = null
    await store.delete(key)
    expect(await store.stat(key)).toBeNull()
  })

  test('a portal that is away is named', async () => {
    proxy.fault = () => ({ kind: 'silence' })
    const fault = await store.check().catch((error: unknown) => error)
    expect(String((fault as Error).cause)).toContain('dfs.skynet.portal_url) does not answer')
  })
})
