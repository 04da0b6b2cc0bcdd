import type { Digest } from './digest.ts'

/** Free text by key (image specification, "Annotations"). */
export type Annotations = Readonly<Record<string, string>>

/** A pointer to content (image specification, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Of the content, in bytes. */
  readonly size: number
  /** Where else the content is. */
  readonly urls?: readonly string[]
  readonly annotations?: Annotations
  readonly artifactType?: string
  /** What the content runs on; shown, never judged. */
  readonly platform?: Readonly<Record<string, unknown>>
  /** The content itself in base64. Its length was compared with `size`; its digest was not. */
  readonly data?: string
}
