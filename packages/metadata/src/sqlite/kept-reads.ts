import type { BlobLocation } from '@openregistry/core'
import type { OperationInput, OperationResult, ReadName } from '../operations.ts'

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
    size: (found) => found && found.page.items.reduce((sum, tag) => sum + tag.length + 32, 0),
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
  return places.reduce((sum, place) => sum + (place.kind === 'inline' ? place.bytes.length : 200), 0)
}
