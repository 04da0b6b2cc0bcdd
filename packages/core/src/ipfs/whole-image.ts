import {
  RegistryError,
  isForeignLayerType,
  parseManifest,
  type Digest,
  type ParsedManifest,
  type RepositoryName,
} from '@openregistry/oci'
import type { ContentShape } from '../ports/ipfs.ts'
import type { Ports } from '../settings.ts'

/** An image with everything that it needs. */
export interface WholeImage {
  /** Its top manifest. */
  top: { digest: Digest; mediaType: string; size: number }
  /** All manifests, configs and layers, each once. */
  contents: ContentShape[]
  /** Which of them are manifests. */
  manifests: ReadonlySet<Digest>
}

/** Manifests that are followed; indexes have a few dozen children. */
const manifestsAtMost = 1000

/** Missing content that a message names. */
const namedAtMost = 5

/** Blobs that are looked up at once. */
const batch = 500

/**
 * Goes through an image: all platforms of an index, however nested, with their configs and layers. Layers that need not be
 * in a registry (foreign ones) are left out.
 * @throws RegistryError `CONFLICT` when the repository does not have all of it, with the digests as `detail.missing`, or when
 * it has more than a thousand manifests.
 */
export async function readImage(
  { metadata }: Pick<Ports, 'metadata'>,
  repository: RepositoryName,
  digest: Digest,
): Promise<WholeImage> {
  const contents = new Map<Digest, ContentShape>()
  const missing: Digest[] = []
  const blobs = new Set<Digest>()
  let top: WholeImage['top'] | null = null
  // A set that grows while it is gone through gives what was added, too.
  const manifests = new Set([digest])
  for (const wanted of manifests) {
    if (manifests.size > manifestsAtMost) throw tooMany()
    const found = await metadata.findManifest(repository, { kind: 'digest', digest: wanted }, { bytes: true })
    const manifest = found?.manifest ?? null
    if (manifest === null || manifest.bytes?.length !== manifest.size) {
      missing.push(wanted)
      continue
    }
    top ??= { digest, mediaType: ownType(manifest.bytes, manifest.mediaType), size: manifest.size }
    contents.set(wanted, { digest: wanted, cid: manifest.cid, size: manifest.size })
    const parsed = parseManifest(manifest.bytes, manifest.mediaType)
    for (const child of parsed.manifests) manifests.add(child.digest)
    for (const blob of blobsOf(parsed)) blobs.add(blob)
  }
  const wanted = [...blobs].filter((blob) => !contents.has(blob))
  for (let at = 0; at < wanted.length; at += batch) {
    const asked = wanted.slice(at, at + batch)
    for (const blob of await metadata.describeBlobs(repository, asked)) contents.set(blob.digest, blob)
    missing.push(...asked.filter((blob) => !contents.has(blob)))
  }
  if (top === null || missing.length > 0) throw notWhole(missing)
  return { top, contents: [...contents.values()], manifests }
}

/** The type that the bytes say themselves, so that every push of them means the same; else the one that came with them. */
function ownType(bytes: Uint8Array, pushedAs: string): string {
  try {
    return parseManifest(bytes, null).mediaType
  } catch (error) {
    if (error instanceof RegistryError) return pushedAs
    throw error
  }
}

function blobsOf({ config, layers }: ParsedManifest): Digest[] {
  const own = layers.filter(({ mediaType }) => !isForeignLayerType(mediaType))
  return [...(config === null ? [] : [config]), ...own].map(({ digest }) => digest)
}

function notWhole(missing: readonly Digest[]): RegistryError {
  const more = missing.length > namedAtMost ? ` and ${missing.length - namedAtMost} more` : ''
  return new RegistryError(
    'CONFLICT',
    `The image is not whole here, so it has no CID. Missing: ${missing.slice(0, namedAtMost).join(', ')}${more}. Push it with all of its platforms.`,
    { detail: { missing } },
  )
}

function tooMany(): RegistryError {
  return new RegistryError(
    'CONFLICT',
    `The image has more than ${manifestsAtMost} manifests; it has no layout.`,
  )
}
