import { databaseTime } from './reads/database-time.ts'
import { describeBlobs } from './reads/describe-blobs.ts'
import { figures } from './reads/figures.ts'
import { findBackendIdentity } from './reads/find-backend-identity.ts'
import { findBlob } from './reads/find-blob.ts'
import { findDeletedManifest } from './reads/find-deleted-manifest.ts'
import { findHolders } from './reads/find-holders.ts'
import { findLayout } from './reads/find-layout.ts'
import { findManifest } from './reads/find-manifest.ts'
import { findMountSource } from './reads/find-mount-source.ts'
import { findMoveTask } from './reads/find-move-task.ts'
import { findMove } from './reads/find-move.ts'
import { findOwner } from './reads/find-owner.ts'
import { findPublicBlob } from './reads/find-public-blob.ts'
import { findPublicName } from './reads/find-public-name.ts'
import { findPublicNode } from './reads/find-public-node.ts'
import { findRepository } from './reads/find-repository.ts'
import { findStoredObject } from './reads/find-stored-object.ts'
import { findTagChangeAt } from './reads/find-tag-change-at.ts'
import { findUnfinishedRestore } from './reads/find-unfinished-restore.ts'
import { findUpload } from './reads/find-upload.ts'
import { hasClaims } from './reads/has-claims.ts'
import { listAnnouncedLayouts } from './reads/list-announced-layouts.ts'
import { listBlobUses } from './reads/list-blob-uses.ts'
import { listDamage } from './reads/list-damage.ts'
import { listDueLayouts } from './reads/list-due-layouts.ts'
import { listDueNames } from './reads/list-due-names.ts'
import { listDueRoots } from './reads/list-due-roots.ts'
import { listExposed } from './reads/list-exposed.ts'
import { listImageContent } from './reads/list-image-content.ts'
import { listJobs } from './reads/list-jobs.ts'
import { listKeys } from './reads/list-keys.ts'
import { listLayoutPins } from './reads/list-layout-pins.ts'
import { listLinksElsewhere } from './reads/list-links-elsewhere.ts'
import { listObjects } from './reads/list-objects.ts'
import { listParts } from './reads/list-parts.ts'
import { listPendingDeletes } from './reads/list-pending-deletes.ts'
import { listPinnedLayouts } from './reads/list-pinned-layouts.ts'
import { listPlaces } from './reads/list-places.ts'
import { listReferrers } from './reads/list-referrers.ts'
import { listRepositories } from './reads/list-repositories.ts'
import { listRepositoryContent } from './reads/list-repository-content.ts'
import { listTagChanges } from './reads/list-tag-changes.ts'
import { listTagHistory } from './reads/list-tag-history.ts'
import { listTagNames } from './reads/list-tag-names.ts'
import { listTaggedLayouts } from './reads/list-tagged-layouts.ts'
import { listTags } from './reads/list-tags.ts'
import { listUncopied } from './reads/list-uncopied.ts'
import { namesObjects } from './reads/names-objects.ts'
import { listUnsettled } from './reads/list-unsettled.ts'
import { previewCollection } from './reads/preview-collection.ts'
import { readBlobLeaves } from './reads/read-blob-leaves.ts'
import { readLeaves } from './reads/read-leaves.ts'
import { readLocation } from './reads/read-location.ts'
import { scrubTotals } from './reads/scrub-totals.ts'
import { addPart } from './steps/add-part.ts'
import { beginLayoutPin } from './steps/begin-layout-pin.ts'
import { beginReplication } from './steps/begin-replication.ts'
import { beginRestore } from './steps/begin-restore.ts'
import { beginScrubPass } from './steps/begin-scrub-pass.ts'
import { cancelMove } from './steps/cancel-move.ts'
import { cancelUpload } from './steps/cancel-upload.ts'
import { check } from './steps/check.ts'
import { claimListing } from './steps/claim-listing.ts'
import { claimLocations } from './steps/claim-locations.ts'
import { collectBlobs } from './steps/collect-blobs.ts'
import { collectLinks } from './steps/collect-links.ts'
import { collectManifests } from './steps/collect-manifests.ts'
import { commitBlob } from './steps/commit-blob.ts'
import { commitCopy } from './steps/commit-copy.ts'
import { compact } from './steps/compact.ts'
import { countMove } from './steps/count-move.ts'
import { createRepository } from './steps/create-repository.ts'
import { deleteBlob } from './steps/delete-blob.ts'
import { deleteManifest } from './steps/delete-manifest.ts'
import { deleteRepository } from './steps/delete-repository.ts'
import { deleteSurplus } from './steps/delete-surplus.ts'
import { deleteTag } from './steps/delete-tag.ts'
import { endAnnouncement } from './steps/end-announcement.ts'
import { endLayoutPin } from './steps/end-layout-pin.ts'
import { endListing } from './steps/end-listing.ts'
import { endMove } from './steps/end-move.ts'
import { endRestore } from './steps/end-restore.ts'
import { endScrubPass } from './steps/end-scrub-pass.ts'
import { endSettling } from './steps/end-settling.ts'
import { enqueueJob } from './steps/enqueue-job.ts'
import { emptyRepositories } from './steps/empty-repositories.ts'
import { expireUploads } from './steps/expire-uploads.ts'
import { extendJob, failJob, finishJob } from './steps/end-job.ts'
import { forgetLayoutPin } from './steps/forget-layout-pin.ts'
import { forgetPendingDeletes } from './steps/forget-pending-deletes.ts'
import { forgetTagChanges } from './steps/forget-tag-changes.ts'
import { leaseJob } from './steps/lease-job.ts'
import { mendContent } from './steps/mend-content.ts'
import { mendInline } from './steps/mend-inline.ts'
import { mountBlob } from './steps/mount-blob.ts'
import { noteMove } from './steps/note-move.ts'
import { noteReplication } from './steps/note-replication.ts'
import { noteSurplus } from './steps/note-surplus.ts'
import { openCopy } from './steps/open-copy.ts'
import { openUpload } from './steps/open-upload.ts'
import { postponeLayouts } from './steps/postpone-layouts.ts'
import { postponeRoots } from './steps/postpone-roots.ts'
import { purgeContent } from './steps/purge-content.ts'
import { putDirectory } from './steps/put-directory.ts'
import { putLayout } from './steps/put-layout.ts'
import { putManifest } from './steps/put-manifest.ts'
import { recordDamage } from './steps/record-damage.ts'
import { recordVerified } from './steps/record-verified.ts'
import { releaseCopies } from './steps/release-copies.ts'
import { releaseLayoutPins } from './steps/release-layout-pins.ts'
import { releaseLocations } from './steps/release-locations.ts'
import { relocateLinks } from './steps/relocate-links.ts'
import { renewLease } from './steps/renew-lease.ts'
import { renewLeases } from './steps/renew-leases.ts'
import { renewLocationClaims } from './steps/renew-location-claims.ts'
import { renewNames } from './steps/renew-names.ts'
import { renewUpload } from './steps/renew-upload.ts'
import { seenLayoutPins } from './steps/seen-layout-pins.ts'
import { scheduleJob } from './steps/schedule-job.ts'
import { restoreManifest } from './steps/restore-manifest.ts'
import { retieBackend } from './steps/retie-backend.ts'
import { setVisibility } from './steps/set-visibility.ts'
import { settleContent } from './steps/settle-content.ts'
import { startMove } from './steps/start-move.ts'
import { sweepUpload } from './steps/sweep-upload.ts'
import { tieBackend } from './steps/tie-backend.ts'
import type { Step } from './sql/query.ts'

/** Reads are one statement each and need no transaction of their own, {@link surveys} excepted. */
export const reads = {
  databaseTime,
  describeBlobs,
  figures,
  findBackendIdentity,
  findBlob,
  findDeletedManifest,
  findHolders,
  findLayout,
  findManifest,
  findMountSource,
  findMove,
  findMoveTask,
  findOwner,
  findPublicBlob,
  findPublicName,
  findPublicNode,
  findRepository,
  findStoredObject,
  findTagChangeAt,
  findUnfinishedRestore,
  findUpload,
  hasClaims,
  listAnnouncedLayouts,
  listBlobUses,
  listDamage,
  listDueLayouts,
  listDueNames,
  listDueRoots,
  listExposed,
  listImageContent,
  listJobs,
  listKeys,
  listLayoutPins,
  listLinksElsewhere,
  listObjects,
  listParts,
  listPendingDeletes,
  listPinnedLayouts,
  listPlaces,
  listReferrers,
  listRepositories,
  listRepositoryContent,
  listTagChanges,
  listTagHistory,
  listTagNames,
  listTaggedLayouts,
  listTags,
  listUncopied,
  namesObjects,
  listUnsettled,
  previewCollection,
  readBlobLeaves,
  readLeaves,
  readLocation,
  scrubTotals,
}

/**
 * Reads over all that there is, for an operator: several statements that must see the same, and may take longer than
 * anything that a request waits for.
 */
export const surveys: ReadonlySet<OperationName> = new Set(['previewCollection'])

/** Steps happen whole or not at all. */
export const steps = {
  addPart,
  beginLayoutPin,
  beginReplication,
  beginRestore,
  beginScrubPass,
  cancelMove,
  cancelUpload,
  check,
  claimListing,
  claimLocations,
  collectBlobs,
  collectLinks,
  collectManifests,
  commitBlob,
  commitCopy,
  compact,
  countMove,
  createRepository,
  deleteBlob,
  deleteManifest,
  deleteRepository,
  deleteSurplus,
  deleteTag,
  endAnnouncement,
  endLayoutPin,
  endListing,
  endMove,
  endRestore,
  endScrubPass,
  endSettling,
  enqueueJob,
  emptyRepositories,
  expireUploads,
  extendJob,
  failJob,
  finishJob,
  forgetLayoutPin,
  forgetPendingDeletes,
  forgetTagChanges,
  leaseJob,
  mendContent,
  mendInline,
  mountBlob,
  noteMove,
  noteReplication,
  noteSurplus,
  openCopy,
  openUpload,
  postponeLayouts,
  postponeRoots,
  purgeContent,
  putDirectory,
  putLayout,
  putManifest,
  recordDamage,
  recordVerified,
  releaseCopies,
  releaseLayoutPins,
  releaseLocations,
  relocateLinks,
  renewLease,
  renewLeases,
  renewLocationClaims,
  renewNames,
  renewUpload,
  scheduleJob,
  seenLayoutPins,
  restoreManifest,
  retieBackend,
  setVisibility,
  settleContent,
  startMove,
  sweepUpload,
  tieBackend,
}

/**
 * Steps that change something with their first statement at most, and whose others only look. They need no transaction
 * around them, which saves an engine across a network a round trip.
 */
export const standalone: ReadonlySet<OperationName> = new Set([
  'check',
  'countMove',
  'deleteBlob',
  'endAnnouncement',
  'endLayoutPin',
  'endScrubPass',
  'enqueueJob',
  'extendJob',
  'failJob',
  'forgetPendingDeletes',
  'forgetTagChanges',
  'postponeLayouts',
  'mendInline',
  'noteMove',
  'noteReplication',
  'recordVerified',
  'releaseLocations',
  'renewLease',
  'renewLocationClaims',
  'renewUpload',
  'retieBackend',
  'scheduleJob',
  'tieBackend',
])

/** Everything that an engine can be asked for, by the name it has in the port. */
export const operations = { ...reads, ...steps }

export type ReadName = keyof typeof reads
export type OperationName = keyof typeof operations

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never

/** What an operation is given, without the tag that makes its queries. */
export type OperationInput<N extends OperationName> = Tail<Parameters<(typeof operations)[N]>>

/** What an operation answers. */
export type OperationResult<N extends OperationName> =
  ReturnType<(typeof operations)[N]> extends Step<infer T> ? T : never
