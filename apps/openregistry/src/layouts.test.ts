import {
  createRegistry,
  operator,
  placementOf,
  settleVisibility,
  storeLayouts,
  type MetadataStore,
  type Ports,
} from '@openregistry/core'
import { cidParts, type Cid } from '@openregistry/dag'
import { RegistryError, mediaTypes, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { hashedContent, newName, openSession, pushBlob, pushManifest } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { interleavedPorts } from './testing/interleaved-ports.ts'

const tagOf = (text: string): Tag => text as Tag

/** A registry's ports, with a count of the operations of its database. */
async function openPorts(): Promise<AsyncDisposable & { ports: Ports; turns: () => number }> {
  let turns = 0
  const opened = await interleavedPorts(() => {
    turns++
    return Promise.resolve()
  })
  return {
    ports: opened.ports,
    turns: () => turns,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

/** Pushes a small image. */
async function push(store: MetadataStore, name: RepositoryName, tag: string): Promise<Digest> {
  const config = await pushBlob(store, name, hashedContent(`{"of":"${String(name)}:${tag}"}`))
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.sha256, size: config.size },
    layers: [],
  })
  const content = hashedContent(bytes)
  const wish = { bytes: content.bytes, blobs: [config.sha256], tags: [tagOf(tag)] }
  return (await pushManifest(store, name, wish)).digest
}

async function newPublic(store: MetadataStore): Promise<RepositoryName> {
  const name = newName()
  await openSession(store, name, { defaultVisibility: 'public' })
  return name
}

async function isVisible({ metadata }: Ports, cid: Cid): Promise<boolean> {
  return (await metadata.findPublicNode(cidParts(cid).digest)) !== null
}

async function cidsOf(ports: Ports, repository: RepositoryName, digest: Digest): Promise<Cid[]> {
  const registry = createRegistry(ports)
  const image = await registry.imageCid(operator, { repository, reference: { kind: 'digest', digest } })
  return [image.cid, (await registry.repositoryCid(operator, { repository })).cid]
}

describe('The form of an image for nerdctl', () => {
  const askFor = async ({ metadata, ...ports }: Ports, repository: RepositoryName, digest: Digest) => {
    const writes: string[] = []
    const counted = new Proxy(metadata, {
      get(target, name, receiver) {
        if (name === 'putLayout') writes.push(name)
        return Reflect.get(target, name, receiver) as unknown
      },
    })
    const reference = { kind: 'digest', digest } as const
    const registry = createRegistry({ ...ports, metadata: counted })
    const { cid } = await registry.imageCid(operator, { repository, reference, form: 'nerdctl' })
    return { cid, writes: writes.length }
  }

  test('is kept once, beside the layout, and as long as that', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const name = await newPublic(ports.metadata)
    const digest = await push(ports.metadata, name, 'a')
    const { cid, writes } = await askFor(ports, name, digest)
    expect([writes, await isVisible(ports, cid)]).toEqual([1, true])
    expect(await askFor(ports, name, digest)).toEqual({ cid, writes: 0 })
    const layout = (await ports.metadata.findLayout(name, digest))?.layout
    expect(layout?.stored).toBe(true)
    await storeLayouts(ports)
    expect(await isVisible(ports, cid)).toBe(true)
    await ports.metadata.setVisibility(name, 'private', placementOf(ports))
    expect(await isVisible(ports, cid)).toBe(false)
    expect(await askFor(ports, name, digest)).toEqual({ cid, writes: 0 })
    await settleVisibility(ports)
    await ports.metadata.setVisibility(name, 'public', placementOf(ports))
    await storeLayouts(ports)
    expect((await askFor(ports, name, digest)).cid).toBe(cid)
    expect(await isVisible(ports, cid)).toBe(true)
  })
})

describe('storeLayouts', () => {
  test('keeps what follows from tags that changed, before anybody asks', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const { metadata } = ports
    const [shown, closed] = [await newPublic(metadata), newName()]
    const [one, two] = [await push(metadata, shown, 'a'), await push(metadata, closed, 'a')]
    await push(metadata, shown, 'b')
    expect(await storeLayouts(ports)).toStrictEqual({ repositories: 1, tags: 2 })
    expect(await metadata.listTagChanges(0, 10)).toStrictEqual([])
    const layout = (await metadata.findLayout(shown, one))?.layout
    expect(await metadata.findPublicNode(layout!.root!)).not.toBeNull()
    expect(await metadata.findLayout(closed, two)).toStrictEqual({ layout: null })
    const before = opened.turns()
    expect(await storeLayouts(ports)).toStrictEqual({ repositories: 0, tags: 0 })
    expect(opened.turns() - before).toBe(2)
    for (const cid of await cidsOf(ports, shown, one)) expect(await isVisible(ports, cid)).toBe(true)
    for (const cid of await cidsOf(ports, closed, two)) expect(await isVisible(ports, cid)).toBe(false)
  })

  test('keeps them when a repository is opened, and drops them when it is closed', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const name = newName()
    const digest = await push(ports.metadata, name, 'a')
    const cids = await cidsOf(ports, name, digest)
    for (const visibility of ['public', 'private', 'public'] as const) {
      await ports.metadata.setVisibility(name, visibility, placementOf(ports))
      await settleVisibility(ports)
      await storeLayouts(ports)
      for (const cid of cids) expect(await isVisible(ports, cid)).toBe(visibility === 'public')
      expect((await ports.metadata.findLayout(name, digest))?.layout?.stored).toBe(visibility === 'public')
    }
  })

  test('costs one image and one directory after one more push, however many tags there are', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const name = await newPublic(ports.metadata)
    const costOfOne = async (tag: string): Promise<number> => {
      await push(ports.metadata, name, tag)
      const before = opened.turns()
      await storeLayouts(ports)
      return opened.turns() - before
    }
    const first = await costOfOne('first')
    for (let count = 0; count < 50; count++) await push(ports.metadata, name, `t${count}`)
    await storeLayouts(ports)
    expect(await costOfOne('last')).toBe(first)
  })

  test('does the others when one fails, and leaves that one for later', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const [broken, good] = [await newPublic(ports.metadata), await newPublic(ports.metadata)]
    for (const name of [broken, good]) await push(ports.metadata, name, 'a')
    const listTaggedLayouts: MetadataStore['listTaggedLayouts'] = (name, page) => {
      if (name === broken) return Promise.reject(new RegistryError('METADATA_UNAVAILABLE'))
      return ports.metadata.listTaggedLayouts(name, page)
    }
    const metadata = new Proxy(ports.metadata, {
      get: (target, key) =>
        key === 'listTaggedLayouts' ? listTaggedLayouts : (Reflect.get(target, key) as unknown),
    })
    await expect(storeLayouts({ ...ports, metadata })).rejects.toThrow(RegistryError)
    const left = await ports.metadata.listTagChanges(0, 10)
    expect(left.map(({ repository }) => repository?.name)).toStrictEqual([broken])
    expect(await storeLayouts(ports)).toStrictEqual({ repositories: 1, tags: 1 })
  })

  test('leaves out an image that is not whole, and does not look at it again at once', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const { metadata } = ports
    const name = await newPublic(metadata)
    const child = { mediaType: mediaTypes.ociManifest, digest: hashedContent().sha256, size: 9 }
    const bytes = hashedContent(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] }),
    ).bytes
    await pushManifest(metadata, name, { bytes, mediaType: mediaTypes.ociIndex, tags: [tagOf('part')] })
    await push(metadata, name, 'whole')
    expect(await storeLayouts(ports)).toStrictEqual({ repositories: 1, tags: 1 })
    await push(metadata, name, 'more')
    const before = opened.turns()
    expect(await storeLayouts(ports)).toStrictEqual({ repositories: 1, tags: 2 })
    // Both sides of: changes, tags, one manifest, its blobs, its layout, the directory, forgetting.
    expect(opened.turns() - before).toBe(2 * 7)
  })

  test('stops when it is told to, and forgets nothing', async () => {
    await using opened = await openPorts()
    const { ports } = opened
    const name = await newPublic(ports.metadata)
    await push(ports.metadata, name, 'a')
    await storeLayouts(ports, AbortSignal.abort())
    expect(await ports.metadata.listTagChanges(0, 10)).toHaveLength(1)
  })
})
