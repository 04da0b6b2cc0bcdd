import { describe } from 'vitest'
import { announcementTests } from './announcements.ts'
import { backendTieTests } from './backend-ties.ts'
import { blobTests } from './blobs.ts'
import { collectionTests } from './collection.ts'
import { collectionRaceTests } from './collection-races.ts'
import { companionTests } from './collection-companions.ts'
import { concurrencyTests } from './concurrency.ts'
import { deletionTests } from './deletions.ts'
import { historyTests } from './history.ts'
import { housekeepingTests } from './housekeeping.ts'
import { jobTests } from './jobs.ts'
import { exposedLayoutTests } from './exposed-layouts.ts'
import { layoutPinTests } from './layout-pins.ts'
import { layoutTests } from './layouts.ts'
import { manifestTests } from './manifests.ts'
import { modelTests } from './random-steps.ts'
import { moveTests } from './moves.ts'
import { mountTests } from './mounts.ts'
import { nameTests } from './names.ts'
import type { OpenMetadataStore } from './opened.ts'
import { placementTests } from './placement.ts'
import { placementRaceTests } from './placement-races.ts'
import { placesTests } from './places.ts'
import { publicContentTests } from './public-content.ts'
import { purgeTests } from './purging.ts'
import { referrerTests } from './referrers.ts'
import { replicationTests } from './replication.ts'
import { repositoryTests } from './repositories.ts'
import { restoreTests } from './restores.ts'
import { restoringCollectedTests } from './restoring-collected.ts'
import { restoringTests } from './restoring.ts'
import { scrubTests } from './scrub.ts'
import { sessionTests } from './sessions.ts'
import { tagTests } from './tags.ts'

export {
  blobAt,
  commitOf,
  diskAlone,
  manifestAt,
  manifestOf,
  openSession,
  partAt,
  pushBlob,
  pushManifest,
} from './actions.ts'
export { hashedContent, newName, type HashedContent } from './content.ts'
export { openFirst } from './placement.ts'
export type { OpenedMetadataStore, OpenMetadataStore } from './opened.ts'

/**
 * Everything the port `MetadataStore` promises that can be seen from outside; durability and damaged bytes cannot. Call it
 * from a test file of the engine with a function that opens a store that holds nothing yet; it is called several times.
 */
export function metadataStoreContract(name: string, open: OpenMetadataStore): void {
  describe(`MetadataStore contract: ${name}`, () => {
    sessionTests(open)
    blobTests(open)
    mountTests(open)
    manifestTests(open)
    tagTests(open)
    deletionTests(open)
    historyTests(open)
    restoringTests(open)
    restoringCollectedTests(open)
    repositoryTests(open)
    referrerTests(open)
    housekeepingTests(open)
    jobTests(open)
    collectionTests(open)
    companionTests(open)
    collectionRaceTests(open)
    purgeTests(open)
    placementTests(open)
    placementRaceTests(open)
    moveTests(open)
    replicationTests(open)
    placesTests(open)
    scrubTests(open)
    backendTieTests(open)
    publicContentTests(open)
    layoutTests(open)
    layoutPinTests(open)
    announcementTests(open)
    exposedLayoutTests(open)
    nameTests(open)
    restoreTests(open)
    concurrencyTests(open)
    modelTests(open)
  })
}
