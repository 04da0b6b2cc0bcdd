import type { Digest } from '@openregistry/oci'
import type { MetadataStore } from '../../ports/metadata-store.ts'
import type { BlobUse, LocatedContent, LocationDamage, LocationState } from '../../ports/scrub.ts'
import type { StorageKey } from '../../ports/storage-key.ts'

/** Repositories, and images of each, that one report names at most. */
const usesAtMost = 20

/** Content without good bytes at a place, and who has to push it again. */
export interface Damage {
  digest: Digest
  size: number
  state: Exclude<LocationState, 'good'>
  /** `inline`: bytes in the database. */
  backend: string
  /** Null when the bytes are in the database. */
  key: StorageKey | null
  /** What was found there. */
  cause: string
  /** Repositories that have it; not all of very many. None when nobody reads it any more. */
  uses: readonly BlobUse[]
}

/** Marks a location; null when it is gone or has other bytes by now, so that there is nothing to tell. */
export async function markDamage(
  metadata: MetadataStore,
  damage: LocationDamage,
  cause: string,
): Promise<Damage | null> {
  const content = await metadata.recordDamage(damage)
  return content && describe(metadata, damage, content, cause)
}

async function describe(
  metadata: MetadataStore,
  { at, state }: LocationDamage,
  { blobId, sha256, size }: LocatedContent,
  cause: string,
): Promise<Damage> {
  return {
    digest: sha256,
    size,
    state,
    backend: at.kind === 'object' ? at.backend : 'inline',
    key: at.kind === 'object' ? at.key : null,
    cause,
    uses: await metadata.listBlobUses(blobId, usesAtMost),
  }
}
