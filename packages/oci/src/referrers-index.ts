import type { Annotations } from './descriptor.ts'
import type { Digest } from './digest.ts'
import { mediaTypes } from './media-types.ts'

/** What a list of referrers says about one manifest. */
export interface ReferrerEntry {
  digest: Digest
  mediaType: string
  /** Of the manifest, in bytes. */
  size: number
  /** As `ParsedManifest.artifactType`; null is left out of the list. */
  artifactType: string | null
  annotations: Annotations | null
}

/**
 * The body of an answer of the referrers API, to be sent as an OCI index (distribution specification, "Listing
 * Referrers"). An empty list is an answer too.
 */
export function formatReferrersIndex(records: readonly ReferrerEntry[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: records.map(({ digest, mediaType, size, artifactType, annotations }) => ({
      mediaType,
      digest,
      size,
      ...(artifactType === null ? {} : { artifactType }),
      ...(annotations === null ? {} : { annotations }),
    })),
  })
}
