import { createHash } from 'node:crypto'
import {
  mediaTypes,
  type Annotations,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
} from '@openregistry/oci'

/** Bytes as they are pushed, with what they are. */
export interface Content {
  readonly bytes: Buffer
  readonly mediaType: string
  /** Of the bytes, by the algorithm that was asked for (sha256 unless said otherwise). */
  readonly digest: Digest
}

/** The digest of bytes by Node's own hashing, so that a test does not check the code with itself. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}

/** Bytes with their media type and digest. */
export function contentOf(
  bytes: Uint8Array | string,
  options: { mediaType?: string; algorithm?: DigestAlgorithm } = {},
): Content {
  const buffer = Buffer.from(bytes)
  return {
    bytes: buffer,
    mediaType: options.mediaType ?? mediaTypes.octetStream,
    digest: digestOf(buffer, options.algorithm),
  }
}

/** A JSON document, written without white space in the order of its fields. */
export function jsonContent(
  value: unknown,
  options: { mediaType: string; algorithm?: DigestAlgorithm },
): Content {
  return contentOf(JSON.stringify(value), options)
}

/** What else a descriptor may say. */
export type DescriptorExtras = Partial<Pick<Descriptor, 'urls' | 'platform' | 'artifactType' | 'data'>> & {
  annotations?: Annotations
}

/** A descriptor of content. */
export function descriptorOf(content: Content, extras: DescriptorExtras = {}): Descriptor {
  return { mediaType: content.mediaType, digest: content.digest, size: content.bytes.length, ...extras }
}

/** The two bytes `{}` that stand for a config or layer that an artifact does not need. */
export const emptyJson: Content = contentOf('{}', { mediaType: mediaTypes.ociEmpty })
