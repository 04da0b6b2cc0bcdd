import type { Annotations, Descriptor } from './descriptor.ts'

/** What the registry needs to know about a manifest; the bytes themselves are stored and served as they came. */
export interface ParsedManifest {
  /** The type to store and to serve. */
  mediaType: string
  kind: 'image' | 'index'
  /** Of an image manifest; null for an index. */
  config: Descriptor | null
  /** Of an image manifest, in order; may be empty. */
  layers: readonly Descriptor[]
  /** Of an index, in order; may be empty. */
  manifests: readonly Descriptor[]
  /** What this manifest is about; need not exist. */
  subject: Descriptor | null
  /** As a list of referrers shows it: `artifactType`, else the type of the config; null for an index without it. */
  artifactType: string | null
  annotations: Annotations | null
}
