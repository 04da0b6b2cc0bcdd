import { cidParts, type Sha256 } from '@openregistry/dag'
import { RegistryError, type Digest, type RepositoryName } from '@openregistry/oci'
import type { ContentShape, HashedBlock } from '../ports/ipfs.ts'
import type { LayoutBlocks } from '../ports/layout-pins.ts'
import { blocksInMemory } from './blocks-in-memory.ts'
import { buildLayout } from './image-layout.ts'
import type { LayoutPorts } from './layout-of.ts'
import { readImage, type WholeImage } from './whole-image.ts'

/** Which blocks are wanted. */
export interface WantedLayout {
  repository: RepositoryName
  /** Of the manifest. */
  digest: Digest
  /** SHA-256 of the root directory. */
  root: Uint8Array
  /** The name of the backend that has the large blobs. */
  backend: string
}

/**
 * The blocks of a layout that no object of a backend has: its own ones, and those of contents that are in the database.
 * @returns null when other contents are not in that backend, or the image is not what it was: then the layout would not be
 * whole there.
 * @throws RegistryError faults of the database.
 */
export async function layoutBlocks(ports: LayoutPorts, wanted: WantedLayout): Promise<LayoutBlocks | null> {
  const { root } = wanted
  const sha256: Sha256 = (bytes) => Uint8Array.from(ports.hasher.hashInline(bytes, { sha512: false }).sha256)
  const image = await readImage(ports, wanted.repository, wanted.digest).catch(unlessNotWhole)
  if (image === null) return null
  const layout = buildLayout(image, sha256)
  if (layout.root.toHex() !== root.toHex()) return null
  const inline: ContentShape[] = []
  for (const content of image.contents) {
    const place = await placeOf(ports, wanted, image, content.digest)
    if (place === 'elsewhere') return null
    if (place === 'inline') inline.push(content)
  }
  const blocks = async function* (): AsyncGenerator<HashedBlock, void, undefined> {
    yield* layout.blocks
    for (const content of inline) {
      const bytes = await inlineBytes(ports, wanted, image, content.digest)
      if (bytes === null) throw new RegistryError('CONFLICT', `${content.digest} is not there any more.`)
      yield* blocksInMemory(bytes, cidParts(content.cid).digest, sha256)
    }
  }
  const shapes: { sha256: Uint8Array; size: number }[] = []
  for await (const { sha256: hash, bytes } of distinct(blocks()))
    shapes.push({ sha256: hash, size: bytes.length })
  return {
    root,
    shapes,
    read: async function* () {
      for await (const { bytes } of distinct(blocks())) yield bytes
    },
  }
}

function unlessNotWhole(error: unknown): null {
  if (error instanceof RegistryError && error.code === 'CONFLICT') return null
  throw error
}

/** Manifests are in the database always. */
async function placeOf(
  { metadata }: LayoutPorts,
  { repository, backend }: WantedLayout,
  { manifests }: WholeImage,
  digest: Digest,
): Promise<'inline' | 'there' | 'elsewhere'> {
  if (manifests.has(digest)) return 'inline'
  const found = await metadata.findBlob(repository, digest, { bytes: false })
  const blob = found?.blob ?? null
  const places = blob === null || blob.location === null ? [] : [blob.location, ...blob.others]
  if (places.some(({ kind }) => kind === 'inline')) return 'inline'
  return places.some((place) => place.kind === 'object' && place.backend === backend) ? 'there' : 'elsewhere'
}

async function inlineBytes(
  { metadata }: LayoutPorts,
  { repository }: WantedLayout,
  { manifests }: WholeImage,
  digest: Digest,
): Promise<Uint8Array | null> {
  if (manifests.has(digest)) {
    const found = await metadata.findManifest(repository, { kind: 'digest', digest }, { bytes: true })
    return found?.manifest?.bytes ?? null
  }
  const location = (await metadata.findBlob(repository, digest))?.blob?.location
  return location?.kind === 'inline' ? location.bytes : null
}

/** Each block once: platforms of an image often have a config or a directory in common. */
async function* distinct(blocks: AsyncIterable<HashedBlock>): AsyncGenerator<HashedBlock, void, undefined> {
  const seen = new Set<string>()
  for await (const block of blocks) {
    const hash = block.sha256.toHex()
    if (seen.has(hash)) continue
    seen.add(hash)
    yield block
  }
}
