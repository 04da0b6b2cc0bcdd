import type { Cid } from '@openregistry/dag'
import {
  KuboNode,
  randomMultiPlatformImage,
  requireIpfsPeer,
  startBlockGateway,
  type HttpClient,
  type MultiPlatformImage,
} from '@openregistry/testkit'
import { describe, expect, test, type TestContext } from 'vitest'
import { open } from 'node:fs/promises'
import { setVisibility } from '../access/fixture.ts'
import { LocalRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { cidsOf, expectUnknown } from './answers.ts'
import { blocksOf, contentsOf, type ImageBlocks } from './image-blocks.ts'
import { readOffline } from './kubo-of-registry.ts'
import { probes } from './surfaces.ts'

/*
 * Private content while it is moved, copied and mended: nothing of it is on any surface of the registry, at no moment, and
 * nothing is left of it in a node that others can ask.
 */
const name = 'moving/app'
const tag = 'v1'

/** A registry on a disk and a Kubo node, and an image in it. */
interface Scene extends AsyncDisposable {
  kubo: KuboNode
  registry: LocalRegistry
  alice: HttpClient
  /** What the node had pinned before. */
  pinned: string[]
  image: MultiPlatformImage
  blocks: ImageBlocks
}

async function setScene(context: TestContext, settings: Record<string, string>): Promise<Scene> {
  requireIpfsPeer(context, 'kubo')
  await using opened = new AsyncDisposableStack()
  const kubo = opened.use(await KuboNode.start())
  const registry = new LocalRegistry({
    users: usersFile,
    settings: { OPEN_REGISTRY_DFS_IPFS_API_URL: kubo.apiUrl, ...settings },
  })
  opened.defer(() => registry.stop())
  await registry.start()
  const pinned = await pinsIn(kubo)
  const alice = registry.clientOf('alice', passwords.alice)
  const image = randomMultiPlatformImage(registry.random, { layerSize: 1_200_000 })
  const repository = new Repository(alice, name)
  for (const each of image.images) await repository.pushImage(each)
  await repository.pushManifest(image.index, tag)
  const resources = opened.move()
  return {
    ...{ kubo, registry, alice, pinned, image, blocks: await blocksOf(image, tag) },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Changes a byte of an object. */
async function flip(file: string): Promise<void> {
  await using handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, 1000)
  await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, 1000)
}

const movePath = `/api/v1/repositories/${encodeURIComponent(name)}/move`

async function beginMove({ alice }: Scene, backend: string): Promise<void> {
  const answer = await alice.send({
    method: 'POST',
    path: movePath,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ backend }),
  })
  expect(answer.status, answer.text()).toBe(202)
}

async function stateOfMove({ alice }: Scene): Promise<string> {
  const { move } = (await alice.send({ path: movePath })).json() as { move: { state: string } }
  return move.state
}

/** Where layouts are pinned, of every tag. */
async function layoutPins({ alice }: Scene): Promise<string[][]> {
  const path = `/api/v1/repositories/${encodeURIComponent(name)}/storage`
  const { tags } = (await alice.send({ path })).json() as { tags: { pinned: { backend: string }[] }[] }
  return tags.map(({ pinned }) => pinned.map(({ backend }) => backend))
}

/** Expects that no route says anything of the image. */
async function expectClosed({ registry, image, blocks }: Scene): Promise<void> {
  for (const probe of probes) await expectUnknown({ http: registry.http, image }, probe, cidsOf(blocks))
}

async function expectPulled({ alice, image }: Scene): Promise<void> {
  const repository = new Repository(alice, name)
  for (const { digest, bytes } of image.images.flatMap(({ blobs }) => blobs)) {
    const { status, body } = await repository.get(`blobs/${digest}`)
    expect({ status, same: body.equals(bytes) }).toEqual({ status: 200, same: true })
  }
}

/** What a node has pinned. */
async function pinsIn(kubo: KuboNode): Promise<string[]> {
  return Object.keys((JSON.parse(await kubo.call('pin/ls')) as { Keys?: object }).Keys ?? {}).sort()
}

/** The blocks that a node has of an image. */
async function heldBy(kubo: KuboNode, cids: readonly Cid[]): Promise<Cid[]> {
  const held: Cid[] = []
  for (const cid of cids) {
    const found = await kubo.call('block/stat', { arg: cid, offline: 'true' }).then(
      () => true,
      () => false,
    )
    if (found) held.push(cid)
  }
  return held
}

describe('an image in a public node', () => {
  test('has to be moved away before it may be private, and nothing of it stays there', async (context) => {
    await using scene = await setScene(context, { OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'public' })
    const { alice, kubo, image, blocks } = scene
    const layer = image.images[0]!.blobs[1]!
    const cid = (await new Repository(alice, name).head(`blobs/${layer.digest}`)).header('openregistry-cid')!
    expect((await readOffline(kubo, cid)).equals(layer.bytes)).toBe(true)
    await expect.poll(() => layoutPins(scene), { timeout: 60_000 }).toEqual([['kubo']])
    expect(await heldBy(kubo, blocks.all)).toEqual(blocks.all)
    const closing = await alice.send({
      method: 'PATCH',
      path: `/api/v1/repositories/${encodeURIComponent(name)}`,
      headers: { 'content-type': 'application/json' },
      body: '{"visibility":"private"}',
    })
    expect(closing.status).toBe(409)
    expect(closing.text()).toContain('and 1 image layout of it are in public storage (kubo)')
    expect(closing.text()).toContain(`openregistry move ${name} --to disk`)
    await beginMove(scene, 'disk')
    await expect.poll(() => stateOfMove(scene), { timeout: 60_000 }).toBe('done')
    // Its blobs and its layout have gone, although it is public still.
    expect(await pinsIn(kubo)).toEqual(scene.pinned)
    expect(await layoutPins(scene)).toEqual([[]])
    await setVisibility(alice, name, 'private')
    await expectClosed(scene)
    await expectPulled(scene)
    await kubo.collectGarbage()
    expect(await heldBy(kubo, blocks.all)).toEqual([])
  })
})

describe('a private image', () => {
  test('gives nothing away while it is moved into a private swarm and back', async (context) => {
    await using scene = await setScene(context, {
      OPEN_REGISTRY_DFS_IPFS_PUBLIC: 'false',
      OPEN_REGISTRY_DFS_DEFAULT: 'disk',
    })
    for (const backend of ['kubo', 'disk']) {
      await beginMove(scene, backend)
      // At least once while it goes on, and once when it is over.
      for (let state = 'running'; state === 'running';) {
        await expectClosed(scene)
        state = await stateOfMove(scene)
        expect(['running', 'done']).toContain(state)
      }
      await expectClosed(scene)
      await expectPulled(scene)
    }
    expect(await pinsIn(scene.kubo)).toEqual(scene.pinned)
  })

  test('never reaches a public node, and is mended without giving anything away', async (context) => {
    await using scene = await setScene(context, { OPEN_REGISTRY_DFS_REPLICAS: 'kubo' })
    const { registry, kubo, image, blocks } = scene
    const layers = image.images.flatMap(({ blobs }) => blobs).filter(({ bytes }) => bytes.length > 1_000_000)
    await using gateway = await startBlockGateway(...layers.map(({ bytes }) => bytes))
    for (const file of registry.stored.objects()) await flip(file)
    const mended = registry.command('scrub', '--all', '--accept-missing', '--from', gateway.address)
    await expectClosed(scene)
    const { repaired } = (await mended) as { repaired: object[] }
    expect(repaired).toHaveLength(layers.length)
    await expectClosed(scene)
    await expectPulled(scene)
    expect(await heldBy(kubo, blocks.all)).toEqual([])
    expect(await pinsIn(kubo)).toEqual(scene.pinned)
    // Only blocks of layers were asked for, of nobody but the gateway that was named.
    const asked = new Set(gateway.asked)
    for (const [at, { bytes }] of contentsOf(image).entries()) {
      if (bytes.length < 16_384) expect(asked).not.toContain(`/ipfs/${blocks.digests[at]}?format=raw`)
    }
  })
})
