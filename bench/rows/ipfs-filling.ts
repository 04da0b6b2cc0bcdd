import { createHash } from 'node:crypto'
import { rawCid, unixfsTree } from '@openregistry/dag'
import { configOf, manifestOf } from '../client/images.ts'
import { inParallel } from '../client/in-parallel.ts'
import { pushBlob, putManifest } from '../client/registry-calls.ts'
import { prepareBlob, type PreparedBlob } from '../content.ts'
import type { Server } from '../peers/server.ts'
import type { Sizes } from '../sizes.ts'
import { emptyGround, type Ground } from './row.ts'

const repository = 'bench/ipfs'
const smallSize = 10 * 1024
const layersOfImage = 100
const connections = 8

/** What is asked for on `/ipfs`: the same in every peer of the run. */
export interface IpfsContent {
  layer: PreparedBlob
  /** CID of the whole layer. */
  root: string
  /** CIDs of its leaves of 1 MiB. */
  leaves: readonly string[]
  small: readonly PreparedBlob[]
  /** CIDs of the small ones, each of one block. */
  smallCids: readonly string[]
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function hashOf({ digest }: PreparedBlob): Buffer {
  return Buffer.from(digest.slice('sha256:'.length), 'hex')
}

function make({ layer: size, ipfsBlocks }: Sizes): IpfsContent {
  const layer = prepareBlob(5_000_000, size)
  const leaves = Array.from(layer.pieces(), (buffers) => sha256(Buffer.concat(buffers)))
  const tree = { size, leaves: Buffer.concat(leaves), sha256: hashOf(layer) }
  const small = Array.from({ length: ipfsBlocks }, (_, index) => prepareBlob(6_000_000 + index, smallSize))
  return {
    layer,
    root: unixfsTree(tree, sha256).cid,
    leaves: leaves.map(rawCid),
    small,
    smallCids: small.map((blob) => rawCid(hashOf(blob))),
  }
}

const made = new Map<string, IpfsContent>()

/** Made when the first peer needs it, then the same for all. */
export function ipfsContent(sizes: Sizes): IpfsContent {
  const key = `${sizes.layer} ${sizes.ipfsBlocks}`
  const content = made.get(key) ?? make(sizes)
  made.set(key, content)
  return content
}

/** One image with the large layer, and images with a hundred small ones each. */
async function pushImages(server: Server, { layer, small }: IpfsContent): Promise<void> {
  const config = configOf('ipfs')
  const blobs = [config, layer, ...small]
  await inParallel(server.port, connections, blobs, (connection, blob) =>
    pushBlob(connection, repository, blob, 'put'),
  )
  const groups = Array.from({ length: Math.ceil(small.length / layersOfImage) }, (_, index) =>
    small.slice(index * layersOfImage, (index + 1) * layersOfImage),
  )
  const images = [[layer], ...groups].map((layers, index) => ({
    tag: `v${index}`,
    manifest: manifestOf(config, layers, `ipfs-${index}`),
  }))
  await inParallel(server.port, connections, images, (connection, { tag, manifest }) =>
    putManifest(connection, repository, tag, manifest),
  )
}

/** Gives a registry, or a node of IPFS, the content of this run. */
export async function fillWithIpfsContent(server: Server, sizes: Sizes): Promise<Ground> {
  const content = ipfsContent(sizes)
  const { peer } = server.found
  if (peer.addFiles) await peer.addFiles(server.site, [content.layer, ...content.small])
  else await pushImages(server, content)
  return { ...emptyGround, repository }
}
