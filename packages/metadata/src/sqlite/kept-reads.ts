import type { BlobLocation, ReferrerRecord } from '@openregistry/core'
import type { OperationInput, OperationResult, ReadName } from '../operations.ts'

/** What a tag, an annotation, and what the fields of a row take besides their text, about. */
const perTag = 40
const perAnnotation = 120
const perRow = 200

/** How the answers of one read are kept. */
export interface Keeping<N extends ReadName = ReadName> {
  /** The same for the same question alone. Null: the answer is not kept. Neither names nor digests have spaces. */
  key(...input: OperationInput<N>): string | null
  /** How many bytes the answer holds. Null: it says more than rows do, or nothing that is asked for often. */
  size(answer: OperationResult<N>): number | null
}

/** The reads that one request after another asks for. What they say follows from rows alone. */
export const keptReads: { readonly [N in ReadName]?: Keeping<N> } = {
  findManifest: {
    key: (name, reference, { bytes }) =>
      `${wish(bytes)} manifest ${name} ${reference.kind === 'tag' ? reference.tag : reference.digest}`,
    size: (found) => (found?.manifest ? (found.manifest.bytes?.length ?? 0) : null),
  },
  findBlob: {
    key: (name, digest, { bytes } = { bytes: true }) => `${wish(bytes)} blob ${name} ${digest}`,
    size(found) {
      const blob = found?.blob
      // With a lease it tells the time.
      if (!blob || blob.leaseUntil !== null || blob.unreferencedSince !== null) return null
      return blob.location === null ? 0 : sizeOf([blob.location, ...blob.others])
    },
  },
  listTagNames: {
    key: (name, { after, limit }) => `tags ${name} ${limit} ${after ?? ''}`,
    size: (found) => found && found.page.items.reduce((sum, tag) => sum + tag.length + perTag, 0),
  },
  listRepositories: {
    key: (scope, { after, limit }) => `repositories ${scope.kind} ${limit} ${after ?? ''}`,
    size: ({ items }) => items.reduce((sum, { name }) => sum + name.length + perRow, 0),
  },
  listReferrers: {
    // Types and annotations are what somebody made up, and `after` is what a client sent.
    key: (name, subject, artifactType, { after, limit }) =>
      `referrers ${JSON.stringify([name, subject, artifactType, after, limit])}`,
    size: (found) => found && found.page.items.reduce((sum, one) => sum + sizeOfReferrer(one), 0),
  },
  findPublicBlob: {
    key: ({ sha256, as, except, bytes }) =>
      except.length > 0 ? null : `${wish(bytes)} ${as} ${sha256.toHex()}`,
    size: (found) => found && sizeOf(found.locations),
  },
  findPublicNode: {
    key: (sha256) => `node ${sha256.toHex()}`,
    size: (found) => found && found.bytes.length,
  },
}

function wish(bytes: boolean): string {
  return bytes ? 'get' : 'head'
}

function sizeOf(places: readonly BlobLocation[]): number {
  return places.reduce((sum, place) => sum + (place.kind === 'inline' ? place.bytes.length : perRow), 0)
}

/** Somebody made the annotations up: a hundred thousand short ones take twenty times as much memory as their text. */
function sizeOfReferrer({ mediaType, artifactType, annotations }: ReferrerRecord): number {
  let size = 2 * perRow + mediaType.length + (artifactType?.length ?? 0)
  for (const name in annotations) {
    size += perAnnotation + 2 * (name.length + (annotations[name]?.length ?? 0))
  }
  return size
}
