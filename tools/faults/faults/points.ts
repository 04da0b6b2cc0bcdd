import type { Random } from '@openregistry/testkit'

/** What every push goes through comes up more often. */
const both = (operation: string): string[] => [`${operation} before`, `${operation} after`]

/** Around every step that changes something, and around every operation of the blob store. */
export const metadataPoints: readonly string[] = [
  'openUpload',
  'addPart',
  'addPart',
  'commitBlob',
  'commitBlob',
  'putManifest',
  'addPart',
  'commitBlob',
  'mountBlob',
  'putManifest',
  'deleteManifest',
  'deleteTag',
  'deleteBlob',
  'deleteRepository',
  'cancelUpload',
  'renewLease',
  'restoreManifest',
  'collectLinks',
  'collectBlobs',
  'collectManifests',
  'emptyRepositories',
  'expireUploads',
  'sweepUpload',
  'listPendingDeletes',
  'forgetPendingDeletes',
  'findUpload',
  'listParts',
].flatMap((step) => both(`metadata.${step}`))

export const blobPoints: readonly string[] = ['write', 'open', 'delete'].flatMap((operation) =>
  both(`blobs.${operation}`),
)

/** A few of these places: one alone may never be passed. */
export function somePoints(random: Random, from: readonly string[]): string[] {
  const count = random.integer(1, 5)
  return Array.from({ length: count }, () => from[random.integer(0, from.length - 1)] ?? '')
}
