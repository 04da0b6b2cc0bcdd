import { dagPbCid, rawCid, unixfsDagSize, unixfsLeafSize, type Cid, type Sha256 } from '@openregistry/dag'
import { RegistryError, type Digest } from '@openregistry/oci'
import type { ContentShape, HashedBlock } from '../ports/ipfs.ts'
import { blocksInMemory } from './blocks-in-memory.ts'
import type { WholeImage } from './whole-image.ts'

/** An image as nerdctl and the stargz snapshotter find it on IPFS. */
export interface NerdctlForm {
  /** Of the file with the top descriptor: what stands behind `ipfs://`. */
  cid: Cid
  /** SHA-256 of the root of that file. */
  root: Uint8Array
  /** Bytes of all blocks, those of configs and layers included. */
  size: number
  /** Those that nothing which was pushed has. */
  blocks: HashedBlock[]
}

/** Bytes that may be derived from one image; they are in memory at once. */
const derivedAtMost = 32 * 1024 * 1024

type Members = Readonly<Record<string, unknown>>

/** Content of the form, as descriptors name it. */
type Named = Pick<ContentShape, 'digest' | 'size' | 'cid'>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Derives the form of an image in which each descriptor says under which CID its content is (`urls` with `ipfs://<cid>`;
 * stargz-snapshotter, `docs/ipfs.md`). Manifests and indexes get other bytes by it, so they are derived ones with digests of their
 * own, and what was pushed stays as it is; configs and layers are those of the image. The form is named by the CID of a file
 * with the top descriptor. A function of the image alone.
 * @param bytesOf gives a manifest of the image as it was pushed.
 * @throws RegistryError `CONFLICT` when more than 32 MiB would have to be derived.
 */
export async function buildNerdctlForm(
  { top, contents, manifests }: WholeImage,
  bytesOf: (manifest: Digest) => Promise<Uint8Array>,
  sha256: Sha256,
): Promise<NerdctlForm> {
  const shapes = new Map<Digest, Named>(contents.map((content) => [content.digest, content]))
  const derived = new Map<Digest, Named>()
  const blocks: HashedBlock[] = []
  let left = derivedAtMost
  const file = (value: object): Named & { root: Uint8Array } => {
    const bytes = encoder.encode(JSON.stringify(value))
    left -= bytes.length
    if (left < 0) throw tooLarge()
    // A copy: the function may use its memory again.
    const whole = Uint8Array.from(sha256(bytes))
    const own = [...blocksInMemory(bytes, whole, sha256)]
    blocks.push(...own)
    const root = own.at(-1)!.sha256
    const cid = bytes.length <= unixfsLeafSize ? rawCid(root) : dagPbCid(root)
    return { digest: `sha256:${whole.toHex()}` as Digest, size: bytes.length, cid, root }
  }
  const derive = async (manifest: Digest): Promise<Named> => {
    const known = derived.get(manifest)
    if (known !== undefined) return known
    const document = JSON.parse(decoder.decode(await bytesOf(manifest))) as Members
    const replaced: Record<string, unknown> = {}
    if (isMembers(document['config'])) replaced['config'] = located(document['config'], shapes)
    if (isList(document['layers'])) replaced['layers'] = document['layers'].map((one) => located(one, shapes))
    if (isList(document['manifests'])) {
      const children: Members[] = []
      for (const child of document['manifests']) {
        await derive(child['digest'] as Digest)
        children.push(located(child, derived))
      }
      replaced['manifests'] = children
    }
    const named = file({ ...document, ...replaced })
    derived.set(manifest, named)
    return named
  }
  const { digest, size, cid } = await derive(top.digest)
  const { root, cid: named } = file({ mediaType: top.mediaType, digest, size, urls: [`ipfs://${cid}`] })
  const pushed = contents.filter((content) => !manifests.has(content.digest))
  const all = [...pushed.map((content) => unixfsDagSize(content.size)), ...blocks.map(lengthOf)]
  return { cid: named, root, size: all.reduce((sum, bytes) => sum + bytes, 0), blocks }
}

/**
 * A descriptor that says where its content is. The CID comes first, since clients take the first that they can; CIDs of others, and
 * content that is attached and of another digest, are left out. What is not in the image (a foreign layer) stays as it is.
 */
function located(descriptor: Members, contents: ReadonlyMap<Digest, Named>): Members {
  const found = contents.get(descriptor['digest'] as Digest)
  if (found === undefined) return descriptor
  const { digest, size, cid } = found
  const others = ((descriptor['urls'] ?? []) as string[]).filter((url) => !url.startsWith('ipfs://'))
  const { data, ...rest } = descriptor
  const attached = data !== undefined && digest === descriptor['digest'] ? { data } : {}
  return { ...rest, digest, size, urls: [`ipfs://${cid}`, ...others], ...attached }
}

function lengthOf({ bytes }: HashedBlock): number {
  return bytes.length
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null
}

function isList(value: unknown): value is Members[] {
  return Array.isArray(value)
}

function tooLarge(): RegistryError {
  return new RegistryError(
    'CONFLICT',
    `The image has too many descriptors for this form: more than ${derivedAtMost} bytes would have to be derived.`,
  )
}
