import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cidParts, encodeCid, parseCid } from '@openregistry/dag'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { BitswapClient, KuboNode, requireIpfsPeer, wantlistMessage } from '@openregistry/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const shownName = parseRepositoryName('me/shown')
const closedName = parseRepositoryName('me/closed')
const tag = parseTag('v1')
const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${'5a'.repeat(32)}\n`

const opened = new AsyncDisposableStack()
let folder: string
let registry: ServerUnderTest
let shown: PushedImage
let closed: PushedImage

beforeAll(async () => {
  folder = opened.use(await temporaryFolder()).path
  const env = { OPEN_REGISTRY_IPFS_NODE: 'true', OPEN_REGISTRY_IPFS_LISTEN: '127.0.0.1:0' }
  registry = opened.use(await runServer({ cwd: folder, env }))
  shown = await pushImage(registry.client, 'me/shown:v1', 3_000_000)
  closed = await pushImage(registry.client, 'me/closed:v1', 3_000_000)
  await registry.client.api.setVisibility(closedName, 'private')
}, 60_000)
afterAll(() => opened.disposeAsync())

/** Where the node of a registry is, as it says itself. */
function addressOf({ log }: ServerUnderTest): string {
  const entry = log.find(({ event }) => event === 'ipfs_node_start') as { addresses: string[] } | undefined
  return entry?.addresses[0] ?? ''
}

async function cidOf(name: typeof shownName): Promise<string> {
  return (await registry.client.api.cid(name, tag)).cid
}

async function expectImage(path: string, { layer, digest }: PushedImage): Promise<void> {
  const [, layerHex = ''] = layer.digest.split(':')
  const bytes = await readFile(join(path, 'blobs/sha256', layerHex))
  expect(bytes.equals(layer.bytes)).toBe(true)
  expect(await readFile(join(path, 'index.json'), 'utf8')).toContain(digest)
}

/** Asks for CIDs by Bitswap. @returns those that are there, in one way or the other. */
async function ask(cids: readonly string[], type: 'have' | 'block'): Promise<string[]> {
  await using client = await BitswapClient.connect(addressOf(registry))
  const asked = new Map(cids.map((cid) => [Buffer.from(encodeCid(cidParts(parseCid(cid)))), cid]))
  await client.ask(wantlistMessage([...asked.keys()].map((cid) => ({ cid, type, sendDontHave: true }))))
  const told = await client.told(
    ({ blocks, has, hasNot }) => blocks.length + has.length + hasNot.length === cids.length,
  )
  const missing = new Set(told.hasNot)
  return [...asked].filter(([bytes]) => !missing.has(bytes.toString('hex'))).map(([, cid]) => cid)
}

describe('a registry that is a node', () => {
  test('gives a whole public image to a stock Kubo that connects to it, by Bitswap alone', async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using kubo = await KuboNode.start()
    await kubo.call('swarm/connect', { arg: addressOf(registry) })
    const path = join(folder, 'shown')
    await kubo.get(`/ipfs/${await cidOf(shownName)}`, path)
    await expectImage(path, shown)
    const metrics = await (await fetch(`${registry.server}/metrics`)).text()
    expect(metrics).toMatch(/^openregistry_ipfs_peers 1$/m)
    expect(metrics).toMatch(/^openregistry_ipfs_bytes_total\{direction="out"\} 300\d{4}$/m)
    // Of a private one Kubo gets nothing, however long it asks.
    const secret = { arg: await cidOf(closedName), timeout: '2s' }
    await expect(kubo.call('block/get', secret)).rejects.toThrow('context deadline exceeded')
  }, 60_000)

  test('has nothing of a private image, and everything once it is public, at the next question', async () => {
    const cids = [
      await cidOf(closedName),
      (await registry.client.api.cid(closedName, null)).cid,
      ...[closed.digest, closed.config].map((digest) => `f01551220${digest.split(':')[1]}`),
    ]
    for (const type of ['have', 'block'] as const) expect(await ask(cids, type)).toEqual([])
    await registry.client.api.setVisibility(closedName, 'public')
    await registry.client.api.cid(closedName, null)
    for (const type of ['have', 'block'] as const) expect(await ask(cids, type)).toEqual(cids)
    await registry.client.api.setVisibility(closedName, 'private')
    for (const type of ['have', 'block'] as const) expect(await ask(cids, type)).toEqual([])
  })

  test('has the name by which /routing calls it', async () => {
    const cid = await cidOf(shownName)
    const answer = await fetch(`${registry.server}/routing/v1/providers/${cid}`)
    const { Providers } = (await answer.json()) as { Providers: { ID: string }[] }
    expect(addressOf(registry).endsWith(`/p2p/${Providers[0]?.ID}`)).toBe(true)
  })
})

test('with a swarm key, only nodes that have it get anything', async (context) => {
  requireIpfsPeer(context, 'kubo')
  const file = join(folder, 'swarm.key')
  await writeFile(file, swarmKey)
  await using home = await temporaryFolder()
  await using hidden = await runServer({
    cwd: home.path,
    env: {
      OPEN_REGISTRY_IPFS_NODE: 'true',
      OPEN_REGISTRY_IPFS_LISTEN: '127.0.0.1:0',
      OPEN_REGISTRY_IPFS_SWARM_KEY_FILE: file,
    },
  })
  const image = await pushImage(hidden.client, 'me/shown:v1', 3_000_000)
  const { cid } = await hidden.client.api.cid(shownName, tag)
  await using kubo = await KuboNode.start({ swarmKey })
  await kubo.call('swarm/connect', { arg: addressOf(hidden) })
  await kubo.get(`/ipfs/${cid}`, join(home.path, 'got'))
  await expectImage(join(home.path, 'got'), image)
  await using stranger = await KuboNode.start()
  await expect(stranger.call('swarm/connect', { arg: addressOf(hidden) })).rejects.toThrow()
}, 90_000)

describe('a node that cannot start says why, and nothing is served:', () => {
  const serve = async (env: Record<string, string>) => {
    await using home = await temporaryFolder()
    const variables = { OPEN_REGISTRY_HTTP_PORT: '0', OPEN_REGISTRY_IPFS_NODE: 'true', ...env }
    return await runCommand(['serve'], { cwd: home.path, env: variables })
  }

  test('its port is taken', async () => {
    const port = addressOf(registry).split('/')[4] ?? ''
    const { code, stderr } = await serve({ OPEN_REGISTRY_IPFS_LISTEN: `127.0.0.1:${port}` })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/the IPFS node cannot listen \(ipfs\.listen\): listen EADDRINUSE.*127\.0\.0\.1:/),
    ])
  })

  test('its swarm key is none', async () => {
    const file = join(folder, 'no.key')
    await writeFile(file, swarmKey.replace('/base16/', '/base64/'))
    const { code, stderr } = await serve({ OPEN_REGISTRY_IPFS_SWARM_KEY_FILE: file })
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('no.key (ipfs.swarm_key_file) is no swarm key'),
    ])
  })
})
