import { RegistryError, type Digest, type Reference, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'

/**
 * Deletes a tag alone, or by digest a manifest with every tag on it.
 * @returns until when the manifest can be restored for certain; null for a tag, whose manifest stays.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`, `MANIFEST_UNKNOWN`.
 */
export async function deleteManifest(
  { metadata, settings }: Ports,
  principal: Principal,
  { repository, reference }: { repository: RepositoryName; reference: Reference },
): Promise<{ restorableUntil: Milliseconds | null }> {
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'delete', repository, facts)
  if (facts === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  const who = principalName(principal)
  const deleted =
    reference.kind === 'tag'
      ? await metadata.deleteTag(repository, reference.tag, who)
      : await metadata.deleteManifest(repository, reference.digest, who)
  if (!deleted) throw new RegistryError('MANIFEST_UNKNOWN')
  if (reference.kind === 'tag') return { restorableUntil: null }
  const deletedAt = await metadata.findDeletedManifest(repository, reference.digest)
  return { restorableUntil: deletedAt === null ? null : deletedAt + settings.grace }
}

/**
 * Hides a blob of this repository. Its bytes stay while anything else needs them.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`, `BLOB_UNKNOWN`.
 */
export async function deleteBlob(
  { metadata }: Ports,
  principal: Principal,
  { repository, digest }: { repository: RepositoryName; digest: Digest },
): Promise<void> {
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'delete', repository, facts)
  if (facts === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  if (!(await metadata.deleteBlob(repository, digest))) throw new RegistryError('BLOB_UNKNOWN')
}
