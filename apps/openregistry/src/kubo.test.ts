import { parseRepositoryName } from '@openregistry/oci'
import { describeWithKubo, HttpFaultProxy, type HttpFault, type ProxiedRequest } from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expectBlob, expectBroken, expectMended } from './testing/expect-blob.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { rawGet } from './testing/raw-get.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')
const mebi = 1024 * 1024

const blobUrl = (registry: ServerUnderTest, { layer }: PushedImage) =>
  `${registry.server}/v2/${name}/blobs/${layer.digest}`

/** Variables with which little time is given to a node that does not answer. */
const impatient = { OPEN_REGISTRY_DFS_IPFS_RETRY: '300ms', OPEN_REGISTRY_DFS_IPFS_TIMEOUT: '2s' }

describeWithKubo('a registry on Kubo', (node) => {
  const opened = new AsyncDisposableStack()
  let api: HttpFaultProxy
  let gateway: HttpFaultProxy
  let registry: ServerUnderTest

  beforeAll(async () => {
    const folder = opened.use(await temporaryFolder())
    api = opened.use(await HttpFaultProxy.start(node().apiUrl))
    gateway = opened.use(await HttpFaultProxy.start(node().gatewayUrl))
    const env = {
      OPEN_REGISTRY_DFS_IPFS_API_URL: api.url,
      OPEN_REGISTRY_DFS_IPFS_GATEWAY_URL: gateway.url,
      ...impatient,
    }
    registry = opened.use(await runServer({ cwd: folder.path, env }))
  })
  afterAll(() => opened.disposeAsync())
  beforeEach(() => {
    api.fault = null
    gateway.fault = null
  })

  const push = (size: number): Promise<PushedImage> => pushImage(registry.client, 'me/app:1', size)

  /** A fault of every read of bytes through the gateway. */
  const failReads = (fault: HttpFault, where: (request: ProxiedRequest) => boolean = () => true): void => {
    gateway.fault = (request) => (request.method === 'GET' && where(request) ? fault : null)
  }

  test('gives layers to Kubo under their CIDs, and takes them from there, in ranges as well', async () => {
    const image = await push(3 * mebi + 5)
    const { bytes } = image.layer
    const whole = await expectBlob(blobUrl(registry, image), bytes)
    const cid = whole.headers['openregistry-cid']
    const fetched = await rawGet(`${node().gatewayUrl}/ipfs/${String(cid)}`)
    expect([fetched.status, Buffer.compare(fetched.body, bytes)]).toEqual([200, 0])
  })

  test('sends no wrong leaf: the connection breaks, the place is marked, a push mends it', async () => {
    const image = await push(5 * mebi + 5)
    const { bytes, digest } = image.layer
    let read = 0
    gateway.fault = ({ method }) => (method === 'GET' && ++read === 4 ? { kind: 'wrong byte', at: 5 } : null)
    await expectBroken(blobUrl(registry, image), bytes)
    gateway.fault = null
    const again = () => registry.client.oci.uploadBlob(name, digest, bytes)
    await expectMended(blobUrl(registry, image), bytes, again)
  })

  test.each<[string, HttpFault]>([
    ['is wrong', { kind: 'wrong byte', at: 77 }],
    ['is too short', { kind: 'short', by: 1000 }],
    ['does not come', { kind: 'refuse', status: 503, body: '' }],
    ['never comes', { kind: 'silence' }],
  ])('answers clearly when an object %s from its beginning', async (_what, fault) => {
    const image = await push(100_000)
    failReads(fault)
    expect(await rawGet(blobUrl(registry, image))).toMatchObject({ status: 503, complete: true })
  })

  describe('a push', () => {
    const full = JSON.stringify({ Message: 'put: no space left on device' })
    test.each<[string, string, HttpFault, number]>([
      ['Kubo does not answer', 'dag/import', { kind: 'silence' }, 503],
      ['Kubo refuses', 'pin/add', { kind: 'refuse', status: 500, body: '{"Message":"no"}' }, 503],
      ['the disk of Kubo is full', 'dag/import', { kind: 'refuse', status: 500, body: full }, 507],
      ['the disk of Kubo is full, in a trailer', 'dag/import', { kind: 'trailer', message: full }, 507],
    ])('is refused when %s, and taken afterwards', async (_what, call, fault, status) => {
      api.fault = ({ path }) => (path === `/api/v0/${call}` ? fault : null)
      await expect(push(2 * mebi)).rejects.toMatchObject({ status })
      api.fault = null
      const image = await push(2 * mebi)
      expect(Buffer.compare((await rawGet(blobUrl(registry, image))).body, image.layer.bytes)).toBe(0)
    })
  })
})

describeWithKubo('a registry whose Kubo node', (node) => {
  test('is away is no reason not to start, and is one not to be ready', async () => {
    await using folder = await temporaryFolder()
    await node().stop()
    const env = { OPEN_REGISTRY_DFS_IPFS_API_URL: node().apiUrl, OPEN_REGISTRY_DFS_IPFS_RETRY: '0' }
    await using registry = await runServer({ cwd: folder.path, env })
    const readiness = async () => (await rawGet(`${registry.server}/readyz`)).body.toString()
    expect(await readiness()).toContain('"backend kubo":"failing"')
    await expect(pushImage(registry.client, 'me/app:1')).rejects.toMatchObject({ status: 503 })
    await node().start()
    expect(await readiness()).toContain('"backend kubo":"ok"')
    const image = await pushImage(registry.client, 'me/app:1')
    expect(Buffer.compare((await rawGet(blobUrl(registry, image))).body, image.layer.bytes)).toBe(0)
    const told = JSON.stringify(registry.log.find(({ event }) => event === 'not_ready'))
    expect(told).toContain(`the Kubo node ${node().apiUrl} (dfs.ipfs.api_url) does not answer`)
    expect(told).toContain('Is it running')
  })

  test('has another repository of a sudden writes nothing there, and believes nothing of it', async () => {
    await using folder = await temporaryFolder()
    const env = { OPEN_REGISTRY_DFS_IPFS_API_URL: node().apiUrl, OPEN_REGISTRY_DFS_IPFS_NAME: 'moving' }
    await using registry = await runServer({ cwd: folder.path, env })
    const image = await pushImage(registry.client, 'me/app:1')
    const { Keys } = JSON.parse(await node().call('pin/ls', { type: 'all' })) as { Keys: object }
    for (const cid of Object.keys(Keys))
      await node()
        .call('pin/rm', { arg: cid })
        .catch(() => undefined)
    expect((await rawGet(blobUrl(registry, image))).status).toBe(503)
    await expect(pushImage(registry.client, 'me/app:2')).rejects.toMatchObject({ status: 503 })
    expect((await rawGet(`${registry.server}/readyz`)).status).toBe(503)
  })
})
