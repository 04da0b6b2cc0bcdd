import { RegistryError, type Reference, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { StoredManifest } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'

/** Which manifest; `bytes: false` when only its description is wanted. */
export interface GetManifestInput {
  repository: RepositoryName
  reference: Reference
  bytes: boolean
}

/**
 * A manifest by tag or digest: one query, which also brings the facts for the decision.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`, `MANIFEST_UNKNOWN`, `STORAGE_UNAVAILABLE`.
 */
export async function getManifest(
  { metadata }: Ports,
  principal: Principal,
  { repository, reference, bytes }: GetManifestInput,
): Promise<StoredManifest> {
  const found = await metadata.findManifest(repository, reference, { bytes })
  authorize(principal, 'pull', repository, found?.repository ?? null)
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  if (found.manifest === null) throw new RegistryError('MANIFEST_UNKNOWN')
  const { bytes: stored, size } = found.manifest
  if (stored !== null && stored.length !== size) {
    throw new RegistryError('STORAGE_UNAVAILABLE', 'The content of the manifest is damaged; push it again.', {
      cause: `${stored.length} bytes stored, ${size} expected`,
    })
  }
  return found.manifest
}
