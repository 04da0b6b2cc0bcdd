import { randomBytes } from 'node:crypto'
import { ipnsName, type Cid } from '@openregistry/dag'
import {
  descriptorOf,
  imageIndex,
  imageManifest,
  randomMultiPlatformImage,
  type HttpClient,
  type Image,
  type MultiPlatformImage,
} from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { setVisibility } from '../access/fixture.ts'
import { useRegistry } from '../adversarial/local-registry.ts'
import { passwords, usersFile } from '../adversarial/users.ts'
import { Repository } from '../conformance/repository.ts'
import { ask, cidsOf, expectKnown, expectUnknown, hashOf, visible, type Asked } from './answers.ts'
import { blocksOf, contentsOf, type ImageBlocks } from './image-blocks.ts'
import { nameProbes, probes, type Probe } from './surfaces.ts'

/*
 * The rule of all IPFS surfaces: a block is visible only if a blob, a manifest or a directory with it is in a repository that
 * is public now. What is not for everybody answers exactly like what nobody has.
 */
const registry = useRegistry({ users: usersFile })
const tag = 'v1'
let alice: HttpClient
/** In a private repository, and in no other. */
let secret: MultiPlatformImage
let secretBlocks: ImageBlocks
/** Of the form of the image that nerdctl takes, which its owner has asked for. */
let nerdctlCid: Cid
const secretName = 'secret/app'

beforeAll(async () => {
  alice = registry.clientOf('alice', passwords.alice)
  secret = randomMultiPlatformImage(registry.random, { layerSize: 1_200_000 })
  secretBlocks = await blocksOf(secret, tag)
  await push(secretName, secret)
  nerdctlCid = await askForNerdctlCid(secretName)
})

async function push(name: string, { index, images }: MultiPlatformImage): Promise<void> {
  const repository = new Repository(alice, name)
  for (const image of images) await repository.pushImage(image)
  await repository.pushManifest(index, tag)
}

/** Asks, as the owner, for the CID of what nerdctl takes for the image. */
async function askForNerdctlCid(name: string): Promise<Cid> {
  const path = `/api/v1/repositories/${encodeURIComponent(name)}/cid?reference=${tag}&form=nerdctl`
  return ((await alice.send({ path })).json() as { cid: Cid }).cid
}

/** Asks, as the owner, for the CID of the image and of the repository, which computes what can be computed. */
async function askForCids(name: string): Promise<string[]> {
  const path = `/api/v1/repositories/${encodeURIComponent(name)}/cid`
  const answers = [await alice.send({ path: `${path}?reference=${tag}` }), await alice.send({ path })]
  return answers.map((answer) => (answer.json() as { cid: string }).cid)
}

const asked = (): Asked => ({ http: registry.http, image: secret })

const titled = probes.map((probe) => ({ title: probe.name, probe }))

describe('Nothing of a private image is there:', () => {
  test('its owner is told its CIDs', async () => {
    const { layout, repository } = secretBlocks
    expect(await askForCids(secretName)).toEqual([layout, repository])
  })

  test.each(titled)('$title', async ({ probe }) => {
    await expectUnknown(asked(), probe, [...cidsOf(secretBlocks), nerdctlCid])
  })

  test('not even for its owner', async () => {
    for (const content of contentsOf(secret)) {
      for (const kind of ['manifests', 'blobs']) {
        const path = `/v2/ipfs/${secretBlocks.layout}/${kind}/${content.digest}`
        for (const client of [registry.http, alice]) expect((await client.send({ path })).status).toBe(404)
      }
    }
  })
})

describe('What a private and a public image share', () => {
  let shown: MultiPlatformImage
  let shownBlocks: ImageBlocks
  const shownName = 'shown/app'

  beforeAll(async () => {
    shown = rebased(secret)
    shownBlocks = await blocksOf(shown, tag)
    await push(shownName, shown)
    await setVisibility(alice, shownName, 'public')
    expect(await askForCids(shownName)).toEqual([shownBlocks.layout, shownBlocks.repository])
  })

  const isBlock = async (cid: Cid): Promise<boolean> => {
    const { status } = await registry.http.send({ path: `/ipfs/${cid}?format=raw` })
    expect([200, 404]).toContain(status)
    return status === 200
  }

  test('is visible because of the public one only, and the rest of the private one is not', async () => {
    const shownHashes = new Set(cidsOf(shownBlocks).map(hashOf))
    const mine = new Set([...secretBlocks.all, secretBlocks.repository].map(hashOf))
    expect([...mine].some((hash) => shownHashes.has(hash))).toBe(true)
    for (const cid of shownBlocks.all) expect(await isBlock(cid), cid).toBe(true)
    for (const cid of [...secretBlocks.all, secretBlocks.repository]) {
      expect(await isBlock(cid), cid).toBe(shownHashes.has(hashOf(cid)))
    }
  })

  test('closes everywhere with the next request', async () => {
    await setVisibility(alice, shownName, 'private')
    const cids = [...new Set([...cidsOf(shownBlocks), ...cidsOf(secretBlocks)])]
    for (const probe of probes) await expectUnknown(asked(), probe, cids)
  })
})

describe('The name of a repository', () => {
  const name = 'named/app'

  /** What its owner is told of it. */
  async function nameOf(): Promise<string> {
    const answer = await alice.send({ path: `/api/v1/repositories/${encodeURIComponent(name)}/cid` })
    return (answer.json() as { ipns: string }).ipns
  }

  /** How a probe answers to it, and to a name that nobody has. */
  async function answers(probe: Probe, ipns: string): Promise<[mine: object, nobodys: object]> {
    const nobody = ipnsName(randomBytes(32))
    return [
      visible(await ask(asked(), probe, ipns), ipns),
      visible(await ask(asked(), probe, nobody), nobody),
    ]
  }

  test('is there for everybody only while it is public, and closes with the next request', async () => {
    await push(name, randomMultiPlatformImage(registry.random))
    const ipns = await nameOf()
    for (const probe of nameProbes) {
      const [mine, nobodys] = await answers(probe, ipns)
      expect(mine, probe.name).toEqual(nobodys)
    }
    await setVisibility(alice, name, 'public')
    expect(await nameOf()).toBe(ipns)
    for (const probe of nameProbes) {
      const [mine, nobodys] = await answers(probe, ipns)
      expect(mine, probe.name).not.toEqual(nobodys)
    }
    await setVisibility(alice, name, 'private')
    for (const probe of nameProbes) {
      const [mine, nobodys] = await answers(probe, ipns)
      expect(mine, probe.name).toEqual(nobodys)
    }
    await setVisibility(alice, name, 'public')
    await nameOf()
    await alice.send({ method: 'DELETE', path: `/api/v1/repositories/${encodeURIComponent(name)}` })
    for (const probe of nameProbes) {
      const [mine, nobodys] = await answers(probe, ipns)
      expect(mine, probe.name).toEqual(nobodys)
    }
  })
})

describe('A private image that is made public', () => {
  test('is there whole, and all of it is gone with the next request after it is made private again', async () => {
    await setVisibility(alice, secretName, 'public')
    await askForCids(secretName)
    for (const cid of [...secretBlocks.all, secretBlocks.repository]) {
      expect((await registry.http.send({ path: `/ipfs/${cid}?format=raw` })).status, cid).toBe(200)
    }
    for (const cid of secretBlocks.digests) {
      expect((await registry.http.send({ path: `/.well-known/rasl/${cid}` })).status).toBe(200)
    }
    for (const probe of probes) await expectKnown(asked(), probe, cidsOf(secretBlocks))
    await setVisibility(alice, secretName, 'private')
    for (const probe of probes) await expectUnknown(asked(), probe, cidsOf(secretBlocks))
  })

  test('closes alike when it is deleted', async () => {
    await setVisibility(alice, secretName, 'public')
    await askForCids(secretName)
    await alice.send({ method: 'DELETE', path: `/v2/${secretName}/manifests/${secret.index.digest}` })
    expect((await registry.http.send({ path: `/ipfs/${secretBlocks.layout}?format=raw` })).status).toBe(404)
    await alice.send({ method: 'DELETE', path: `/api/v1/repositories/${encodeURIComponent(secretName)}` })
    for (const probe of probes) await expectUnknown(asked(), probe, cidsOf(secretBlocks))
  })
})

/** Another image on the same base: every layer but the last of each platform is the same. */
function rebased({ images, index }: MultiPlatformImage): MultiPlatformImage {
  const fresh = randomMultiPlatformImage(registry.random, { layerSize: 1_100_000 })
  const mixed = images.map((image, at) => onBase(image, fresh.images[at]!))
  const manifests = mixed.map(({ manifest }, at) => {
    const { platform } = (JSON.parse(index.bytes.toString()) as { manifests: { platform: object }[] })
      .manifests[at]!
    return descriptorOf(manifest, { platform: { ...platform } })
  })
  return { index: imageIndex({ manifests }), images: mixed }
}

function onBase(base: Image, own: Image): Image {
  const [, shared] = base.blobs
  const [config, , last] = own.blobs
  const layers = [shared!, last!].map((layer) => descriptorOf(layer))
  return {
    manifest: imageManifest({ config: descriptorOf(config!), layers }),
    blobs: [config!, shared!, last!],
  }
}
