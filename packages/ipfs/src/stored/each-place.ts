import type { BlobLocation, MetadataStore, PublicBlob, StorageKey } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Lost } from './open-place.ts'

/**
 * Tries each place that a blob has until one gives what is wanted. A place that turns out to be bad is marked; one whose
 * object is not there is looked up again first, since it may have gone between the row and the read.
 * @param find the blob as it is now; null: nobody may see it (any more).
 * @throws RegistryError `STORAGE_UNAVAILABLE` when there are places, and none can be read.
 */
export async function atEachPlace<T extends object>(
  metadata: Pick<MetadataStore, 'recordDamage'>,
  find: () => Promise<PublicBlob | null>,
  use: (location: BlobLocation, blob: PublicBlob) => Promise<T | Lost>,
): Promise<T | null> {
  const absent = new Set<StorageKey>()
  let fault: unknown = null
  for (let again = true; again;) {
    again = false
    const blob = await find()
    for (const location of blob?.locations ?? []) {
      try {
        const found = await use(location, blob!)
        if (typeof found === 'object') return found
        if (location.kind === 'object' && found === 'missing' && !absent.has(location.key)) {
          absent.add(location.key)
          again = true
          continue
        }
        fault ??= await markBad(metadata, location, found)
      } catch (error) {
        fault ??= error
      }
    }
  }
  if (fault !== null) throw fault
  return null
}

/** Marks a place; bytes in the database are left to scrub, which holds a claim on them while it looks. */
async function markBad(
  metadata: Pick<MetadataStore, 'recordDamage'>,
  location: BlobLocation,
  state: Lost,
): Promise<RegistryError> {
  const place = location.kind === 'inline' ? 'inline bytes' : `${location.backend} ${location.key}`
  if (location.kind === 'object') await metadata.recordDamage({ state, at: location })
  return new RegistryError('STORAGE_UNAVAILABLE', 'The content is damaged; push it again.', {
    cause: `${place}: ${state}`,
  })
}
