import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { BlobStore, Lists, StorageKey } from '@openregistry/core'
import {
  bytesOf,
  describeWithIpfsCluster,
  holds,
  type HttpFault,
  HttpFaultProxy,
  IpfsClusterPeer,
  KuboNode,
  newKey,
  reusing,
} from '@openregistry/testkit'
import { openClusterBlobStore, type ClusterBlobStoreOptions } from './cluster-blob-store.ts'

const mebi = 1024 * 1024
const chunk = 256 * 1024

// Nodes and peers start several times in a test.
vi.setConfig({ testTimeout: 120_000 })

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

const patient = { retryWithin: 60_000, timeout: 60_000 }

/** Contents that no other test has, so that blocks of an earlier one cannot stand in for them. */
let contents = 0
const newBytes = (size: number): Uint8Array => bytesOf(size, ++contents)

/** The pins of a peer that hold bytes: those of the index hold none. */
async function pinsOf(peer: IpfsClusterPeer): Promise<number> {
  const text = await (await fetch(`${peer.apiUrl}/allocations`)).text()
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.filter((line) => !(JSON.parse(line) as { cid: string }).cid.startsWith('bafkqa')).length
}

describeWithIpfsCluster('a store on an IPFS Cluster', (running) => {
  const open = (options: Partial<ClusterBlobStoreOptions> = {}): BlobStore & Lists => {
    const { peer, node } = running()
    const store = openClusterBlobStore({
      apiUrl: peer.apiUrl,
      gatewayUrl: node.gatewayUrl,
      spool,
      ...options,
    })
    onTestFinished(() => store[Symbol.asyncDispose]())
    return store
  }

  async function proxyOf(url: string): Promise<HttpFaultProxy> {
    const proxy = await HttpFaultProxy.start(url)
    onTestFinished(() => proxy[Symbol.asyncDispose]())
    return proxy
  }

  async function expectNothing(key: StorageKey, pins: number): Promise<void> {
    const store = open()
    expect(await store.stat(key)).toBeNull()
    expect(await Array.fromAsync(store.list(''))).not.toContain(key)
    expect(await pinsOf(running().peer)).toBe(pins)
  }

  describe('a write that meets it once succeeds all the same:', () => {
    test.each<[string, string, HttpFault]>([
      ['too busy', '/add', { kind: 'refuse', status: 503, body: '' }],
      ['the connection breaks in the middle of the CAR', '/add', { kind: 'cut request', after: mebi }],
      ['the answer is lost', '/add', { kind: 'lose answer' }],
      ['nothing is done, with a 200', '/add', { kind: 'refuse', status: 200, body: '[]' }],
      ['the answer to the entry of the index is lost', '/pins/bafkqa', { kind: 'lose answer' }],
      ['the question whether it is pinned breaks off', '/pins/bafybei', { kind: 'lose answer' }],
    ])('%s', async (_what, path, fault) => {
      const before = await pinsOf(running().peer)
      const proxy = await proxyOf(running().peer.apiUrl)
      let met = false
      proxy.fault = (request) => (request.path.startsWith(path) && !met && (met = true) ? fault : null)
      const store = open({ apiUrl: proxy.url })
      const [key, bytes] = [newKey(), newBytes(3 * mebi + 5)]
      await store.write(key, reusing(bytes, chunk))
      expect(met).toBe(true)
      expect(await holds(store, key, bytes)).toBe(true)
      expect(await pinsOf(running().peer)).toBe(before + 1)
      await store.delete(key)
      await expectNothing(key, before)
    })
  })

  describe('a write that cannot succeed leaves nothing:', () => {
    const message = (text: string): string => JSON.stringify({ code: 500, message: text })
    const peers = (status: string, error: string): string =>
      JSON.stringify({ peer_map: { one: { peername: 'one', status, error } } })
    test.each<[string, string, HttpFault, string]>([
      ['no space', '/add', { kind: 'refuse', status: 500, body: message('no space left on device') }, 'FULL'],
      [
        'a refusal',
        '/add',
        { kind: 'refuse', status: 500, body: message('not enough peers') },
        'UNAVAILABLE',
      ],
      ['no answer', '/add', { kind: 'silence' }, 'UNAVAILABLE'],
      [
        'a peer that cannot pin it for lack of space',
        '/pins/bafybei',
        { kind: 'instead', body: peers('pin_error', 'write: no space left on device') },
        'FULL',
      ],
      [
        'a peer that never pins it',
        '/pins/bafybei',
        { kind: 'instead', body: peers('pinning', '') },
        'UNAVAILABLE',
      ],
    ])('%s', async (_what, path, fault, code) => {
      const before = await pinsOf(running().peer)
      const proxy = await proxyOf(running().peer.apiUrl)
      proxy.fault = ({ path: asked, method }) =>
        asked.startsWith(path) && method !== 'DELETE' ? fault : null
      const store = open({ apiUrl: proxy.url, timeout: 2000, retryWithin: 300 })
      const key = newKey()
      const writing = store.write(key, reusing(newBytes(mebi + 1), chunk))
      await expect(writing).rejects.toMatchObject({ code: `STORAGE_${code}` })
      await expectNothing(key, before)
    })
  })

  test('a peer that crashes in the middle of a write, and comes back, gets all of it', async () => {
    const { peer } = running()
    const proxy = await proxyOf(peer.apiUrl)
    const crashes: Promise<void>[] = []
    const crash = async (): Promise<void> => {
      await peer.stop('SIGKILL')
      await peer.start()
    }
    proxy.fault = ({ path }) => {
      if (path === '/add' && crashes.length === 0) crashes.push(crash())
      return null
    }
    const store = open({ apiUrl: proxy.url, ...patient })
    const [key, bytes] = [newKey(), newBytes(20 * mebi)]
    await store.write(key, reusing(bytes, chunk))
    expect(crashes).toHaveLength(1)
    await Promise.all(crashes)
    expect(await holds(open(patient), key, bytes)).toBe(true)
    await crash()
    expect(await holds(open(patient), key, bytes)).toBe(true)
    await store.delete(key)
  })

  test('a node that crashes behind its peer is waited for', async () => {
    const { peer, node } = running()
    const proxy = await proxyOf(peer.apiUrl)
    const crashes: Promise<void>[] = []
    proxy.fault = ({ path }) => {
      if (path === '/add' && crashes.length === 0) {
        crashes.push(node.stop('SIGKILL').then(() => node.start()))
        return { kind: 'wait', until: Promise.all(crashes).then(() => undefined) }
      }
      return null
    }
    const store = open({ apiUrl: proxy.url, ...patient })
    const [key, bytes] = [newKey(), newBytes(5 * mebi)]
    await store.write(key, reusing(bytes, chunk))
    expect(await holds(store, key, bytes)).toBe(true)
    await store.delete(key)
  })

  test('a check says that the peer, its node, or the gateway is away', async () => {
    const { peer, node } = running()
    const store = open()
    await store.check()
    await node.stop()
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await node.start()
    await peer.stop()
    await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await peer.start()
    await store.check()
  })

  test('garbage that a node collects before it pins is sent again', async () => {
    const { node } = running()
    const proxy = await proxyOf(node.apiUrl)
    await using peer = await IpfsClusterPeer.start({ apiUrl: proxy.url })
    proxy.fault = ({ path, query, count }) => {
      const holdsBytes = query.get('arg')?.startsWith('bafybei') === true
      if (path !== '/api/v0/pin/add' || !holdsBytes || count > 3) return null
      return { kind: 'wait', until: node.collectGarbage() }
    }
    const store = open({ apiUrl: peer.apiUrl, ...patient })
    const [key, bytes] = [newKey(), newBytes(3 * mebi)]
    await store.write(key, reusing(bytes, chunk))
    await node.collectGarbage()
    expect(await holds(store, key, bytes)).toBe(true)
  })

  test('of equal contents one is deleted, and the other stays', async () => {
    const store = open()
    const [one, other, bytes] = [newKey(), newKey(), newBytes(2 * mebi + 9)]
    await store.write(one, reusing(bytes, chunk))
    await store.write(other, reusing(bytes, chunk))
    await store.delete(one)
    await running().node.collectGarbage()
    expect(await store.stat(one)).toBeNull()
    expect(await holds(store, other, bytes)).toBe(true)
    await store.delete(other)
  })

  test('with two peers an object is on both of them before it is stored, and outlives one of them', async () => {
    const { peer } = running()
    await using node = await KuboNode.start()
    await using second = await IpfsClusterPeer.start(node, { joins: peer })
    await peer.untilPeers(2)
    const store = open({ ...patient, replicationMin: 2, replicationMax: 2 })
    const [key, bytes] = [newKey(), newBytes(3 * mebi)]
    await store.write(key, reusing(bytes, chunk))
    const apart = openClusterBlobStore({
      apiUrl: second.apiUrl,
      gatewayUrl: node.gatewayUrl,
      spool,
      ...patient,
    })
    onTestFinished(() => apart[Symbol.asyncDispose]())
    await peer.stop()
    await running().node.stop()
    expect(await holds(apart, key, bytes)).toBe(true)
    await running().node.start()
    await peer.start()
    await store.delete(key)
  })
})

describeWithIpfsCluster(
  'a peer with credentials',
  (running) => {
    test.each<[string, string | null, boolean]>([
      ['those', 'basic:registry:canary-password', true],
      ['others', 'basic:registry:canary-wrong', false],
      ['none', null, false],
    ])('with %s', async (_what, apiToken, allowed) => {
      const { peer, node } = running()
      await using store = openClusterBlobStore({
        apiUrl: peer.apiUrl,
        apiToken,
        gatewayUrl: node.gatewayUrl,
        spool,
        retryWithin: 0,
      })
      const error: unknown = await store.check().then(
        () => null,
        (reason: unknown) => reason,
      )
      expect(error === null).toBe(allowed)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}))).not.toContain('canary')
    })
  },
  { credentials: { registry: 'canary-password' } },
)
