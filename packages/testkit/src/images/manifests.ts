import { mediaTypes, type Annotations, type Descriptor, type DigestAlgorithm } from '@openregistry/oci'
import { jsonContent, type Content } from './content.ts'

/** Whose media types a document uses. */
export type Family = 'oci' | 'docker'

/** What both kinds of documents may have. */
interface DocumentOptions {
  family?: Family
  /** What this document refers to; another manifest of the same repository. */
  subject?: Descriptor
  artifactType?: string
  annotations?: Annotations
  /** Fields that no specification knows; they come back as they were pushed. */
  extra?: Readonly<Record<string, unknown>>
  /** The algorithm of the document's own digest. */
  algorithm?: DigestAlgorithm
}

/** What an image manifest is made of. */
export interface ImageManifestOptions extends DocumentOptions {
  config: Descriptor
  layers: readonly Descriptor[]
}

/** What an index is made of. */
export interface ImageIndexOptions extends DocumentOptions {
  manifests: readonly Descriptor[]
}

function documentOf(mediaType: string, parts: object, options: DocumentOptions): Content {
  const { subject, artifactType, annotations, extra, algorithm = 'sha256' } = options
  const value = { schemaVersion: 2, mediaType, artifactType, ...parts, subject, annotations, ...extra }
  return jsonContent(value, { mediaType, algorithm })
}

/** An image manifest: OCI, or Docker's schema 2. */
export function imageManifest(options: ImageManifestOptions): Content {
  const mediaType = options.family === 'docker' ? mediaTypes.dockerManifest : mediaTypes.ociManifest
  return documentOf(mediaType, { config: options.config, layers: options.layers }, options)
}

/** An index of manifests: OCI, or Docker's manifest list. */
export function imageIndex(options: ImageIndexOptions): Content {
  const mediaType = options.family === 'docker' ? mediaTypes.dockerManifestList : mediaTypes.ociIndex
  return documentOf(mediaType, { manifests: options.manifests }, options)
}
