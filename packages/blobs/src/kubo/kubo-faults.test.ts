import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlobStore, Lists, StorageKey } from '@openregistry/core'
import {
  bytesOf,
  describeWithKubo,
  holds,
  type HttpFault,
  HttpFaultProxy,
  type KuboNode,
  newKey,
  type ProxiedRequest,
  read,
  reusing,
} from '@openregistry/testkit'
import { openKuboBlobStore, type KuboBlobStoreOptions } from './kubo-blob-store.ts'

const mebi = 1024 * 1024
const chunk = 256 * 1024
const importing = '/api/v0/dag/import'
const pinning = '/api/v0/pin/add'

/** A store that reaches its node through proxies, which are true until they are told otherwise. */
class Proxied implements AsyncDisposable {
  readonly node: KuboNode
  readonly api: HttpFaultProxy
  readonly gateway: HttpFaultProxy
  readonly #spool: string
  readonly #stores = new AsyncDisposableStack()

  constructor(node: KuboNode, spool: string, proxies: { api: HttpFaultProxy; gateway: HttpFaultProxy }) {
    this.node = node
    this.#spool = spool
    this.api = proxies.api
    this.gateway = proxies.gateway
  }

  open(options: Partial<KuboBlobStoreOptions> = {}): BlobStore & Lists {
    return this.#stores.use(
      openKuboBlobStore({
        apiUrl: this.api.url,
        gatewayUrl: this.gateway.url,
        spool: this.#spool,
        ...options,
      }),
    )
  }

  /** The roots of all pins that hold bytes. */
  async pins(): Promise<string[]> {
    const { Keys } = JSON.parse(await this.node.call('pin/ls', { type: 'recursive' })) as {
      Keys?: Record<string, unknown>
    }
    return Object.keys(Keys ?? {}).toSorted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stores.disposeAsync()
    await this.api[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
    await rm(this.#spool, { recursive: true })
  }
}

/** The fault of the first request for a path; none of others. */
function atFirst(path: string, fault: HttpFault): (request: ProxiedRequest) => HttpFault | null {
  let met = false
  return (request) => (request.path === path && !met && (met = true) ? fault : null)
}

/** The fault of every request for a path, or for one that begins like it. */
function always(path: string, fault: HttpFault): (request: ProxiedRequest) => HttpFault | null {
  return (request) => (request.path.startsWith(path) ? fault : null)
}

const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

describeWithKubo('a store on a Kubo node with faults', (node) => {
  let proxied: Proxied
  let before: string[]
  beforeEach(async () => {
    const [api, gateway] = [
      await HttpFaultProxy.start(node().apiUrl),
      await HttpFaultProxy.start(node().gatewayUrl),
    ]
    const spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
    proxied = new Proxied(node(), spool, { api, gateway })
    before = await proxied.pins()
  })
  afterEach(() => proxied[Symbol.asyncDispose]())

  /** Expects that no trace is left of an object. */
  async function expectNothing(store: BlobStore & Lists, key: StorageKey): Promise<void> {
    expect(await store.stat(key)).toBeNull()
    for await (const listed of store.list('')) expect(listed).not.toBe(key)
    expect(await proxied.pins()).toEqual(before)
  }

  describe('a write that meets it once succeeds all the same:', () => {
    test.each<[string, string, HttpFault]>([
      ['too busy', importing, { kind: 'refuse', status: 503, body: '' }],
      ['the connection breaks in the middle of the CAR', importing, { kind: 'cut request', after: mebi }],
      ['the answer to the import is lost', importing, { kind: 'lose answer' }],
      ['nothing is done, with a 200', importing, { kind: 'refuse', status: 200, body: '' }],
      [
        'nothing is pinned, with a 200',
        importing,
        { kind: 'refuse', status: 200, body: lines({ Stats: {} }) },
      ],
      ['the import breaks off', importing, { kind: 'cut answer', after: 10 }],
      ['the answer to the entry of the index is lost', pinning, { kind: 'lose answer' }],
      ['the entry of the index meets nobody', pinning, { kind: 'cut request', after: 0 }],
    ])('%s', async (_what, path, fault) => {
      const store = proxied.open()
      const [key, bytes] = [newKey(), bytesOf(3 * mebi + 5)]
      proxied.api.fault = atFirst(path, fault)
      expect(await store.write(key, reusing(bytes, chunk))).toEqual({ size: bytes.length })
      expect(await holds(store, key, bytes)).toBe(true)
      expect(await proxied.pins()).toHaveLength(before.length + 1)
      await store.delete(key)
      await expectNothing(store, key)
    })
  })

  describe('a write that cannot succeed leaves nothing:', () => {
    const full = 'write /data/blocks/X3/put-123: no space left on device'
    test.each<[string, HttpFault, string]>([
      ['the disk of Kubo is full', { kind: 'refuse', status: 500, body: lines({ Message: full }) }, 'FULL'],
      ['the disk is full, says a trailer', { kind: 'trailer', message: full }, 'FULL'],
      [
        'a pin that failed, in a 200',
        { kind: 'instead', body: lines({ Root: { PinErrorMsg: 'block was not found' } }, { Stats: {} }) },
        'UNAVAILABLE',
      ],
      ['a fault at the end of a 200', { kind: 'trailer', message: 'import failed' }, 'UNAVAILABLE'],
      ['a refusal', { kind: 'refuse', status: 400, body: lines({ Message: 'no' }) }, 'UNAVAILABLE'],
      ['no answer to the import', { kind: 'silence' }, 'UNAVAILABLE'],
      ['an answer that never ends well', { kind: 'cut answer', after: 3 }, 'UNAVAILABLE'],
      ['something that is not Kubo', { kind: 'instead', body: '<html></html>' }, 'UNAVAILABLE'],
    ])('%s', async (_what, fault, code) => {
      const store = proxied.open({ timeout: 1000, retryWithin: 500 })
      const key = newKey()
      proxied.api.fault = always(importing, fault)
      const writing = store.write(key, reusing(bytesOf(2 * mebi + 1), chunk))
      await expect(writing).rejects.toMatchObject({ code: `STORAGE_${code}` })
      proxied.api.fault = null
      await expectNothing(store, key)
    })

    test('nobody is there at all', async () => {
      const store = proxied.open({ retryWithin: 300 })
      const key = newKey()
      proxied.api.fault = always('/', { kind: 'cut request', after: 0 })
      await expect(store.write(key, reusing(bytesOf(10), chunk))).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      })
      for (const operation of ['stat', 'open', 'delete'] as const)
        await expect(store[operation](key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      proxied.api.fault = null
      await expectNothing(store, key)
    })
  })

  test('what a failed write cannot take away is found by a list, and deleted later', async () => {
    const store = proxied.open({ timeout: 1000, retryWithin: 0 })
    const key = newKey()
    proxied.api.fault = ({ path }) => {
      if (path === importing) return { kind: 'lose answer' }
      return path === '/api/v0/pin/rm' ? { kind: 'cut request', after: 0 } : null
    }
    await expect(store.write(key, reusing(bytesOf(mebi), chunk))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    })
    proxied.api.fault = null
    expect(await Array.fromAsync(store.list(''))).toContain(key)
    expect((await proxied.pins()).length).toBe(before.length + 1)
    await store.delete(key)
    await expectNothing(store, key)
  })

  test('an object that is deleted while it is written is not written', async () => {
    const store = proxied.open()
    const key = newKey()
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    proxied.api.fault = ({ path }) => {
      if (path !== importing) return null
      begun.resolve()
      return { kind: 'wait', until: go.promise }
    }
    const writing = store.write(key, reusing(bytesOf(mebi, 77), chunk))
    writing.catch(() => undefined)
    await begun.promise
    expect(await store.stat(key)).toBeNull()
    await store.delete(key)
    go.resolve()
    await expect(writing).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await expectNothing(store, key)
  })

  test('an object that is deleted while Kubo pins it leaves no pin', async () => {
    const store = proxied.open()
    const key = newKey()
    const begun = Promise.withResolvers<void>()
    const unpinned = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    proxied.api.fault = ({ path, count }) => {
      if (path === importing) {
        begun.resolve()
        return { kind: 'wait', until: unpinned.promise }
      }
      if (path !== '/api/v0/pin/rm' || count !== 2) return null
      // There was nothing to take away yet. The entry goes only when the writer has seen it.
      unpinned.resolve()
      return { kind: 'wait', until: written.promise }
    }
    const writing = store.write(key, reusing(bytesOf(mebi, 78), chunk))
    await begun.promise
    const deleting = store.delete(key)
    await writing
    written.resolve()
    await deleting
    await expectNothing(store, key)
  })

  test('an abort while Kubo takes the object leaves nothing', async () => {
    const store = proxied.open()
    const key = newKey()
    const aborting = new AbortController()
    const reason = new Error('never mind')
    proxied.api.fault = ({ path }) => {
      if (path === importing) setImmediate(() => aborting.abort(reason))
      return null
    }
    const writing = store.write(key, reusing(bytesOf(20 * mebi), chunk), { signal: aborting.signal })
    await expect(writing).rejects.toBe(reason)
    await expectNothing(store, key)
  })

  describe('a read that meets it once gives the right bytes:', () => {
    test.each<[string, HttpFault]>([
      ['too busy', { kind: 'refuse', status: 503, body: '' }],
      ['a gateway that gave up', { kind: 'refuse', status: 504, body: 'Unable to retrieve' }],
      ['the connection breaks', { kind: 'cut answer', after: 100_000 }],
      ['the answer is lost', { kind: 'lose answer' }],
      ['too few bytes', { kind: 'short', by: 1000 }],
    ])('%s', async (_what, fault) => {
      const store = proxied.open()
      const [key, bytes] = [newKey(), bytesOf(3 * mebi + 5)]
      await store.write(key, reusing(bytes, chunk))
      for (const method of ['HEAD', 'GET']) {
        let met = false
        proxied.gateway.fault = (request) =>
          request.method === method && !met && (met = true)
            ? method === 'HEAD'
              ? refusalFor(fault)
              : fault
            : null
        expect(await holds(store, key, bytes)).toBe(true)
        expect(met).toBe(true)
      }
      await store.delete(key)
    })
  })

  describe('a read that cannot go on fails, and never looks like the end:', () => {
    test.each<[string, HttpFault]>([
      ['too few bytes', { kind: 'short', by: 1 }],
      ['an answer that breaks off', { kind: 'cut answer', after: 1 }],
      ['silence', { kind: 'silence' }],
      ['a refusal', { kind: 'refuse', status: 500, body: 'no' }],
      ['a gateway that gives another range', { kind: 'instead', body: 'all of it' }],
    ])('%s', async (_what, fault) => {
      const store = proxied.open({ timeout: 2000, retryWithin: 300 })
      const [key, bytes] = [newKey(), bytesOf(3 * mebi)]
      await store.write(key, reusing(bytes, chunk))
      let asked = 0
      proxied.gateway.fault = ({ method }) => (method === 'GET' && ++asked > 2 ? fault : null)
      await expect(read(store, key)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      await store.delete(key)
    })
  })

  test('a check says what is wrong, at once', async () => {
    const store = proxied.open()
    await store.check()
    proxied.gateway.fault = always('/', { kind: 'silence' })
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    proxied.gateway.fault = null
    proxied.api.fault = always(pinning, { kind: 'trailer', message: 'no space left on device' })
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    proxied.api.fault = null
    await store.check()
    expect(await Array.fromAsync(store.list(''))).toEqual([])
  })
})

/** The answer to HEAD has no body that could be cut. */
function refusalFor(fault: HttpFault): HttpFault {
  return fault.kind === 'short' || fault.kind === 'cut answer' ? { kind: 'lose answer' } : fault
}
