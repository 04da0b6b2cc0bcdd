import { createHash } from 'node:crypto'
import { dagPbCodec, formatCid, type Cid, type CidParts } from '@openregistry/dag'
import {
  RegistryError,
  digestAlgorithm,
  digestHex,
  mediaTypes,
  parseManifest,
  type Descriptor,
  type Digest,
  type Reference,
} from '@openregistry/oci'
import type { BlockView, FileView } from '../block-view.ts'
import { resolvePath } from '../gateway/resolve-path.ts'
import { readCid } from '../read-cid.ts'

/** A file of a layout by its digest. */
export interface LayoutBlob {
  digest: Digest
  cid: Cid
  file: FileView
}

/** A manifest of a layout, exactly as it was pushed. */
export interface LayoutManifest {
  digest: Digest
  mediaType: string
  cid: Cid
  bytes: Uint8Array
}

/**
 * An image under the CID of its layout, for clients of registries: what it has is what its directory leads to, and each
 * step on the way asks the block view, so nothing is here that is not for everybody. Names of repositories play no part.
 */
export class ImageByCid {
  readonly #view: BlockView
  readonly #root: CidParts
  readonly #manifestLimit: number

  /**
   * @param text the CID as it was asked for.
   * @param manifestLimit bytes of the largest manifest.
   * @throws RegistryError `NAME_INVALID` when it cannot be the CID of a directory.
   */
  constructor(view: BlockView, text: string, manifestLimit: number) {
    this.#view = view
    this.#root = rootOf(text)
    this.#manifestLimit = manifestLimit
  }

  /**
   * The image itself (`latest`, the only tag), or a manifest below it by its digest.
   * @throws RegistryError `MANIFEST_UNKNOWN`, `STORAGE_UNAVAILABLE`.
   */
  async manifest(reference: Reference, signal?: AbortSignal): Promise<LayoutManifest> {
    const top = await this.#top(signal)
    if (top === null || (reference.kind === 'tag' && reference.tag !== 'latest')) throw unknownManifest()
    const digest = reference.kind === 'tag' ? top.digest : reference.digest
    const blob = await this.#find(digest, signal)
    if (blob === null || blob.file.size > this.#manifestLimit) throw unknownManifest()
    const bytes = await readAll(blob.file, digest)
    const mediaType = digest === top.digest ? top.mediaType : typeOf(bytes)
    if (mediaType === null) throw unknownManifest()
    return { digest, mediaType, cid: blob.cid, bytes }
  }

  /** Any file of the image by its digest. @throws RegistryError `BLOB_UNKNOWN`. */
  async blob(digest: Digest, signal?: AbortSignal): Promise<LayoutBlob> {
    const blob = await this.#find(digest, signal)
    if (blob === null) throw new RegistryError('BLOB_UNKNOWN')
    return blob
  }

  /** What `index.json` names: one image. Null when there is no such file, or it is none of ours. */
  async #top(signal: AbortSignal | undefined): Promise<Descriptor | null> {
    const found = await this.#resolve(['index.json'], signal)
    const bytes = found === null ? null : await this.#view.block(found.digest, options(signal))
    if (bytes === null) return null
    try {
      const { manifests } = parseManifest(bytes, mediaTypes.ociIndex)
      return manifests.length === 1 ? (manifests[0] ?? null) : null
    } catch (error) {
      if (error instanceof RegistryError) return null
      throw error
    }
  }

  async #find(digest: Digest, signal: AbortSignal | undefined): Promise<LayoutBlob | null> {
    const found = await this.#resolve(['blobs', digestAlgorithm(digest), digestHex(digest)], signal)
    const file = found === null ? null : await this.#view.file(found.digest)
    return found === null || file === null ? null : { digest, cid: formatCid(found), file }
  }

  async #resolve(path: readonly string[], signal: AbortSignal | undefined): Promise<CidParts | null> {
    try {
      return (await resolvePath(this.#view, this.#root, path, signal)).end
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'CONTENT_UNKNOWN') return null
      throw error
    }
  }
}

function rootOf(text: string): CidParts {
  try {
    const { parts } = readCid(text)
    if (parts.codec === dagPbCodec) return parts
  } catch (cause) {
    if (!(cause instanceof RegistryError) || cause.code !== 'CID_INVALID') throw cause
  }
  throw new RegistryError(
    'NAME_INVALID',
    'Not the CID of an image: "openregistry cid <image>" prints it. Nothing can be pushed below ipfs/.',
  )
}

function unknownManifest(): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN')
}

function options(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** The type that a manifest says itself; null for other content. */
function typeOf(bytes: Uint8Array): string | null {
  try {
    return parseManifest(bytes, null).mediaType
  } catch (error) {
    if (error instanceof RegistryError) return null
    throw error
  }
}

async function readAll(file: FileView, digest: Digest): Promise<Uint8Array> {
  await using reader = await file.open()
  const bytes = new Uint8Array(file.size)
  let at = 0
  for await (const chunk of reader.chunks) {
    bytes.set(chunk.subarray(0, file.size - at), at)
    at += chunk.length
  }
  const found = createHash(digestAlgorithm(digest)).update(bytes).digest('hex')
  if (at === file.size && found === digestHex(digest)) return bytes
  throw new RegistryError('STORAGE_UNAVAILABLE', 'The content of the manifest is damaged; push it again.')
}
