import {
  operator,
  createRegistry,
  pinLayouts,
  placementOf,
  settleVisibility,
  storeLayouts,
  type Ports,
} from '@openregistry/core'
import { cidParts } from '@openregistry/dag'
import { mediaTypes, RegistryError, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { hashedContent, newName, openSession, pushBlob, pushManifest } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { interleavedPorts } from './testing/interleaved-ports.ts'
import { PinningStore } from './testing/pinning-store.ts'

const mebi = 1024 * 1024

/** The backend that pushes of the testkit go to. */
const usual = 'disk'

interface Opened extends AsyncDisposable {
  ports: Ports
  pinning: PinningStore
}

async function open(backend = usual): Promise<Opened> {
  const opened = await interleavedPorts(() => Promise.resolve())
  const pinning = new PinningStore(backend)
  const ports = { ...opened.ports, backends: new Map([[backend, pinning.store]]) }
  return { ports, pinning, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

interface Image {
  name: RepositoryName
  digest: Digest
  root: Uint8Array
}

/** An image with a config in the database and a layer in the usual backend. */
async function push(
  ports: Ports,
  {
    name = newName(),
    annotation = '',
    like = name,
  }: { name?: RepositoryName; annotation?: string; like?: string } = {},
): Promise<Image> {
  const { metadata } = ports
  await openSession(metadata, name, { defaultVisibility: 'public' })
  const config = hashedContent(`{"of":"${like}"}`)
  await pushBlob(metadata, name, config, { stored: { kind: 'inline', bytes: config.bytes } })
  const layer = await pushBlob(metadata, name, hashedContent(`layer of ${like}`.repeat(2000)))
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.sha256, size: config.size },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layer.sha256, size: layer.size }],
    annotations: { annotation },
  })
  const wish = {
    bytes: hashedContent(bytes).bytes,
    blobs: [config.sha256, layer.sha256],
    tags: ['v1' as Tag],
  }
  const { digest } = await pushManifest(metadata, name, wish)
  return { name, digest, root: await rootOf(ports, name, digest) }
}

/** Computes the layout, as the job does for tags. */
async function rootOf(ports: Ports, repository: RepositoryName, digest: Digest): Promise<Uint8Array> {
  const reference = { kind: 'digest', digest } as const
  const { cid } = await createRegistry(ports).imageCid(operator, { repository, reference })
  return cidParts(cid).digest
}

/** Time enough passes that everything is looked at again. */
async function later({ ports }: Opened): Promise<void> {
  const { metadata } = ports
  const listLayoutPins = metadata.listLayoutPins.bind(metadata)
  const eager = new Proxy(metadata, {
    get: (target, key) =>
      key === 'listLayoutPins'
        ? (backend: string, page: { open: boolean; limit: number }) =>
            listLayoutPins(backend, { ...page, unseenFor: -1 })
        : (Reflect.get(target, key) as unknown),
  })
  await pinLayouts({ ...ports, metadata: eager })
}

test('a public image is whole with its large blobs, and it is done once', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const { root, name, digest } = await push(ports)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
  const layer = hashedContent(`layer of ${name}`.repeat(2000))
  expect(pinning.missing(root)).toStrictEqual([layer.cid])
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  await storeLayouts(ports)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(pinning.pins.size).toBe(1)
  expect((await ports.metadata.findLayout(name, digest))?.layout?.stored).toBe(true)
})

test('manifests of any size are in it', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const { root, name } = await push(ports, { annotation: 'x'.repeat(2 * mebi + 77) })
  await pinLayouts(ports)
  expect(pinning.missing(root)).toStrictEqual([hashedContent(`layer of ${name}`.repeat(2000)).cid])
  const sizes = [...pinning.pins.get(root.toHex())!.values()].map(({ length }) => length)
  expect(sizes.filter((size) => size === mebi)).toHaveLength(2)
})

test('an image whose blobs are elsewhere is not pinned', async () => {
  await using opened = await open('another')
  await push(opened.ports)
  expect(await pinLayouts(opened.ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(opened.pinning.pins.size).toBe(0)
  expect(await opened.ports.metadata.listDueLayouts(10)).toStrictEqual([])
})

test('an image is, whose blobs are there as second copies, or for somebody else', async () => {
  await using opened = await open('another')
  const { ports, pinning } = opened
  const { root, name } = await push(ports)
  const layer = hashedContent(`layer of ${name}`.repeat(2000))
  const rules = { ...placementOf(ports), backends: ['another'] }
  const other = newName()
  await openSession(ports.metadata, other, { defaultVisibility: 'public' })
  await pushBlob(ports.metadata, other, layer, { rules })
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
  expect(pinning.missing(root)).toStrictEqual([layer.cid])
})

/** The nodes are a swarm of their own, so that images may become private where they are. */
const ownSwarm = (ports: Ports) => ({ ...placementOf(ports), public: [] })

test('a private image is not, and one that becomes private is let go', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const [one, two] = [await push(ports), await push(ports)]
  await ports.metadata.setVisibility(two.name, 'private', ownSwarm(ports))
  await pinLayouts(ports)
  expect([...pinning.pins.keys()]).toStrictEqual([one.root.toHex()])
  await ports.metadata.setVisibility(one.name, 'private', ownSwarm(ports))
  await settleVisibility(ports)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 1 })
  expect(pinning.pins.size).toBe(0)
  await ports.metadata.setVisibility(one.name, 'public', ownSwarm(ports))
  await settleVisibility(ports)
  await storeLayouts(ports)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
})

test('one that becomes private while it is pinned is let go at once', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const { name } = await push(ports)
  pinning.beforePin = async () => void (await ports.metadata.setVisibility(name, 'private', ownSwarm(ports)))
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(pinning.pins.size).toBe(0)
  expect(await ports.metadata.listLayoutPins(usual, { open: true, unseenFor: -1, limit: 10 })).toStrictEqual(
    [],
  )
})

test('a pin that two repositories need stays until the second one has no use for it', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const one = await push(ports, { like: 'twins' })
  const two = await push(ports, { like: 'twins' })
  expect(two.root).toStrictEqual(one.root)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
  await ports.metadata.deleteManifest(one.name, one.digest, 'user:ada')
  await later(opened)
  expect(pinning.pins.size).toBe(1)
  await ports.metadata.deleteRepository(two.name, 'user:ada')
  await later(opened)
  expect(pinning.pins.size).toBe(0)
})

test('what was unpinned by somebody else is pinned again', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const { root } = await push(ports)
  await pinLayouts(ports)
  const due = await ports.metadata.listDueLayouts(10)
  expect(due).toStrictEqual([])
  pinning.pins.clear()
  await ports.metadata.forgetLayoutPin(usual, root)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
})

test('a backend that is away stops it, and keeps nothing from being done later', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const [one, two] = [await push(ports), await push(ports)]
  pinning.isAway = true
  await expect(pinLayouts(ports)).rejects.toThrow(RegistryError)
  pinning.isAway = false
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
  expect([...pinning.pins.keys()]).toStrictEqual([two.root.toHex()])
  await ports.metadata.forgetLayoutPin(usual, one.root)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 1, unpinned: 0 })
})

test('it stops when it is told to', async () => {
  await using opened = await open()
  await push(opened.ports)
  expect(await pinLayouts(opened.ports, AbortSignal.abort())).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(opened.pinning.pins.size).toBe(0)
})
