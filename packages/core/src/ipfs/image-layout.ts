import {
  cidParts,
  rawCid,
  unixfsDagSize,
  unixfsDirectory,
  type Cid,
  type DirectoryEntry,
  type Sha256,
} from '@openregistry/dag'
import { digestAlgorithm, digestHex, mediaTypes, type DigestAlgorithm } from '@openregistry/oci'
import type { ContentShape, HashedBlock } from '../ports/ipfs.ts'
import type { WholeImage } from './whole-image.ts'

/** A layout with the blocks that no blob has: its directories and its two small files. */
export interface BuiltLayout {
  /** SHA-256 of the root directory. */
  root: Uint8Array
  /** `Tsize` of the root: bytes of all blocks. */
  size: number
  blocks: HashedBlock[]
}

const encoder = new TextEncoder()

type Entry = DirectoryEntry & { cid: Cid }

/**
 * The UnixFS directory that is a complete OCI image layout of an image (image specification, "Image Layout"): `oci-layout`,
 * `index.json`, and `blobs/<algorithm>/<hex>` for every manifest, config and layer, whose blocks are those of the stored
 * blobs. A function of the manifest's digest alone: nothing of tags, repositories or times is in it.
 */
export function buildLayout(image: Pick<WholeImage, 'top' | 'contents'>, sha256: Sha256): BuiltLayout {
  const blocks: HashedBlock[] = []
  const file = (name: string, value: object): Entry => {
    const bytes = encoder.encode(JSON.stringify(value))
    // A copy: the function may use its memory again.
    const hash = Uint8Array.from(sha256(bytes))
    blocks.push({ sha256: hash, bytes })
    return { name, cid: rawCid(hash), size: bytes.length }
  }
  const directory = (name: string, entries: readonly Entry[]): Entry => {
    const built = unixfsDirectory(entries, sha256)
    for (const { cid, bytes } of built.blocks) blocks.push({ sha256: cidParts(cid).digest, bytes })
    return { name, cid: built.cid, size: built.size }
  }
  const root = directory('', [
    directory(
      'blobs',
      [...blobDirectories(image.contents)].map(([name, entries]) => directory(name, entries)),
    ),
    file('index.json', indexOf(image.top)),
    file('oci-layout', { imageLayoutVersion: '1.0.0' }),
  ])
  return { root: cidParts(root.cid).digest, size: root.size, blocks }
}

function blobDirectories(contents: readonly ContentShape[]): Map<DigestAlgorithm, Entry[]> {
  const entries = contents.map(({ digest, cid, size }) => {
    return { algorithm: digestAlgorithm(digest), name: digestHex(digest), cid, size: unixfsDagSize(size) }
  })
  return Map.groupBy(entries, ({ algorithm }) => algorithm)
}

/** What clients begin with. */
function indexOf({ mediaType, digest, size }: WholeImage['top']): object {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ mediaType, digest, size }] }
}
