import { blobOf, prepareBlob, type PreparedBlob } from '../content.ts'
import { configOf, manifestOf } from '../client/images.ts'
import { inParallel } from '../client/in-parallel.ts'
import { pullBlob, pushBlob, putManifest } from '../client/registry-calls.ts'
import type { Server } from '../peers/server.ts'
import { referrersRepository, referringManifests } from '../seed/contents.ts'
import type { Sizes } from '../sizes.ts'
import { emptyGround, type Ground } from './row.ts'
import { subjectsOf } from './subjects.ts'

const connections = 8
const MiB = 1024 * 1024

/** Zero-padded, so that names in order are numbers in order. */
function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`)
}

async function pushAll(server: Server, repository: string, blobs: readonly PreparedBlob[]): Promise<void> {
  await inParallel(server.port, Math.min(connections, blobs.length), blobs, (connection, blob) =>
    pushBlob(connection, repository, blob, 'put'),
  )
}

/** The same content for every registry of the run. */
const config = configOf('bench')
const smallBlobs = Array.from({ length: 100 }, (_, seed) => prepareBlob(1_000_000 + seed, 10 * 1024))

/** Two subjects and what refers to them, as the large registry has them too. */
async function pushReferrers(server: Server, count: number): Promise<Ground['subjects']> {
  const manifests = [...referringManifests(count)]
  const blobs = new Map(
    manifests.flatMap((manifest) => manifest.blobs.map((blob) => [blob.digest, blob.bytes])),
  )
  await pushAll(server, referrersRepository, Array.from(blobs.values(), blobOf))
  await inParallel(server.port, connections, manifests, (connection, { digest, bytes }) =>
    putManifest(connection, referrersRepository, digest, blobOf(bytes)),
  )
  return subjectsOf(manifests)
}

/** A repository with many tags and some blobs, and many repositories beside it. */
export async function fillWithTags(server: Server, sizes: Sizes): Promise<Ground> {
  const repository = 'bench/tags'
  await pushAll(server, repository, [config, ...smallBlobs])
  // Every blob is the layer of some image: one that no manifest names would be a special case for some registries.
  const tags = numbered('v', sizes.tags).map((tag, index) => {
    const layers = [0, 1, 2].map((layer) => smallBlobs[(index + layer) % smallBlobs.length] as PreparedBlob)
    return { tag, manifest: manifestOf(config, layers, tag) }
  })
  await inParallel(server.port, connections, tags, (connection, { tag, manifest }) =>
    putManifest(connection, repository, tag, manifest),
  )
  const others = numbered('catalog/r', sizes.repositories)
  const layers = smallBlobs.slice(0, 1)
  await inParallel(server.port, connections, others, async (connection, name) => {
    for (const blob of [config, ...layers]) await pushBlob(connection, name, blob, 'put')
    await putManifest(connection, name, 'v1', manifestOf(config, layers, name))
  })
  const subjects = await pushReferrers(server, sizes.referrers)
  return {
    subjects,
    repository,
    tags: tags.map(({ tag }) => tag),
    manifests: tags.map(({ manifest }) => manifest.digest),
    blobs: smallBlobs,
    repositories: [repository, ...others],
  }
}

/** Images of one config and three layers, each with a tag of its own. */
export async function fillWithImages(server: Server, sizes: Sizes): Promise<Ground> {
  const repository = 'bench/images'
  const layers = smallBlobs.slice(0, 3)
  const blobs = [config, ...layers]
  await pushAll(server, repository, blobs)
  const tags = numbered('v', sizes.tags)
  await inParallel(server.port, connections, tags, (connection, tag) =>
    putManifest(connection, repository, tag, manifestOf(config, layers, tag)),
  )
  return { ...emptyGround, repository, blobs, tags, repositories: [repository] }
}

/** By size. Made when the first registry needs it, then the same for all. */
const largeLayers = new Map<number, PreparedBlob>()

function largeLayer(size: number): PreparedBlob {
  const layer = largeLayers.get(size) ?? prepareBlob(2_000_000, size)
  largeLayers.set(size, layer)
  return layer
}

/** One large layer, pulled once so that it is in the page cache for everybody. */
export async function fillWithLayer(server: Server, sizes: Sizes): Promise<Ground> {
  const repository = 'bench/layer'
  const layer = largeLayer(sizes.layer)
  await pushAll(server, repository, [layer])
  await inParallel(server.port, 1, [layer], (connection, blob) => pullBlob(connection, repository, blob))
  return { ...emptyGround, repository, blobs: [layer], repositories: [repository] }
}

const mixedBlobs = Array.from({ length: 64 }, (_, seed) => prepareBlob(3_000_000 + seed, MiB))

/** Blobs to pull while others are pushed. */
export async function fillWithBlobs(server: Server): Promise<Ground> {
  const repository = 'bench/mixed'
  await pushAll(server, repository, mixedBlobs)
  return { ...emptyGround, repository, blobs: mixedBlobs, repositories: [repository] }
}

/**
 * Pushes a little in both ways and pulls it, so that a runtime that compiles while it runs has seen the paths: a
 * registry runs for weeks, its first second is measured by the cold start alone.
 */
export async function warmUp(server: Server): Promise<Ground> {
  const repository = 'bench/warm-up'
  const blobs = Array.from({ length: 8 }, (_, seed) => prepareBlob(4_000_000 + seed, 4 * MiB))
  await inParallel(server.port, 2, blobs, async (connection, blob) => {
    await pushBlob(
      connection,
      repository,
      blob,
      Number.parseInt(blob.digest.slice(-1), 16) % 2 ? 'put' : 'patch',
    )
    await pullBlob(connection, repository, blob)
  })
  return { ...emptyGround, repository: 'bench/push', repositories: [repository] }
}
