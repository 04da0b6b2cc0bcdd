import { createHash } from 'node:crypto'
import { MemoryBlockstore } from 'blockstore-core/memory'
import { importer } from 'ipfs-unixfs-importer'
import { parseCid, rawCid, unixfsDirectory, type Cid } from '@openregistry/dag'
import { digestHex, mediaTypes } from '@openregistry/oci'
import type { Content, MultiPlatformImage } from '@openregistry/testkit'

/** An image as IPFS sees it, computed by another implementation from the bytes alone. */
export interface ImageBlocks {
  /** Of the directory that is a complete OCI image layout. */
  layout: Cid
  /** Of every block of it: directories, small files, nodes and leaves of every manifest, config and layer. */
  all: Cid[]
  /** Of every manifest, config and layer as a whole, whatever its size: what RASL asks for. */
  digests: Cid[]
  /** Of the repository's directory, when the image is its only one, under this tag. */
  repository: Cid
}

/** Everything that an image consists of, the top manifest first. */
export function contentsOf({ index, images }: MultiPlatformImage): Content[] {
  return [index, ...images.flatMap(({ manifest, blobs }) => [manifest, ...blobs])]
}

/** Computes the blocks of an image whose digests are all sha256. */
export async function blocksOf(image: MultiPlatformImage, tag: string): Promise<ImageBlocks> {
  const contents = contentsOf(image)
  const blocks = new MemoryBlockstore()
  let layout: Cid | null = null
  let size = 0n
  const options = { profile: 'unixfs-v1-2025', wrapWithDirectory: true } as const
  for await (const entry of importer(layoutFiles(image.index, contents), blocks, options)) {
    if (entry.path !== '') continue
    layout = parseCid(entry.cid.toString())
    size = entry.size
  }
  if (layout === null) throw new Error('The importer made no root.')
  // A store finds blocks by their hash alone, and lists each as raw bytes; here the codec does not matter either.
  const all: Cid[] = []
  for await (const { cid } of blocks.getAll()) all.push(parseCid(cid.toString()))
  const entry = { name: tag, cid: layout, size: Number(size) }
  return {
    layout,
    all: [...new Set([...all, layout])],
    digests: contents.map(({ bytes }) => rawCid(sha256(bytes))),
    repository: unixfsDirectory([entry], sha256).cid,
  }
}

function layoutFiles(top: Content, contents: readonly Content[]) {
  const { mediaType, digest, bytes } = top
  const named = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType, digest, size: bytes.length }],
  }
  return [
    { path: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    { path: 'index.json', content: Buffer.from(JSON.stringify(named)) },
    ...contents.map((content) => ({
      path: `blobs/sha256/${digestHex(content.digest)}`,
      content: content.bytes,
    })),
  ]
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
