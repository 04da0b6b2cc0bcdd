import { HttpFaultProxy, SkynetPortal } from '@openregistry/testkit'
import { parseRepositoryName } from '@openregistry/oci'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { rawGet } from './testing/raw-get.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')
const mebi = 1024 * 1024
const opened = new AsyncDisposableStack()
let portal: SkynetPortal
let proxy: HttpFaultProxy
let registry: ServerUnderTest

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder())
  portal = opened.use(await SkynetPortal.start())
  portal.apiKey = 'canary-of-a-key'
  proxy = opened.use(await HttpFaultProxy.start(portal.url))
  const env = {
    OPEN_REGISTRY_DFS_DEFAULT: 'skynet',
    OPEN_REGISTRY_DFS_SKYNET_PORTAL_URL: proxy.url,
    OPEN_REGISTRY_DFS_SKYNET_API_KEY: 'canary-of-a-key',
    OPEN_REGISTRY_DFS_SKYNET_SECRET: 'canary-of-a-secret',
  }
  registry = opened.use(await runServer({ cwd: folder.path, env }))
})

afterAll(() => opened.disposeAsync())

const blobUrl = ({ layer }: PushedImage) => `${registry.server}/v2/${name}/blobs/${layer.digest}`

test('a registry on a portal keeps layers there, and gives them back, in ranges as well', async () => {
  const image = await pushImage(registry.client, 'me/app:1', 3 * mebi + 5)
  const { bytes } = image.layer
  expect(portal.skylinks).toHaveLength(1)
  const whole = await rawGet(blobUrl(image))
  expect([whole.status, Buffer.compare(whole.body, bytes)]).toEqual([200, 0])
  const part = await rawGet(blobUrl(image), { Range: `bytes=${mebi - 1}-${mebi + 1}` })
  expect([part.status, Buffer.compare(part.body, bytes.subarray(mebi - 1, mebi + 2))]).toEqual([206, 0])
})

test('no wrong byte of the portal reaches a client', async () => {
  const image = await pushImage(registry.client, 'me/app:2', mebi + 5)
  proxy.fault = ({ method, path }) =>
    method === 'GET' && path.length === 47 ? { kind: 'wrong byte', at: 5 } : null
  const answer = await rawGet(blobUrl(image))
  proxy.fault = null
  expect(answer.status).toBe(503)
})
