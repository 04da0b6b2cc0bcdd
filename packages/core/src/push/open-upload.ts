import type { DigestAlgorithm, RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { UploadSession } from '../ports/metadata-store.ts'
import { newUploadId } from '../ports/storage-key.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'

/** What a client says when it begins an upload. */
export interface OpenUploadInput {
  repository: RepositoryName
  /** The algorithm that the blob will be named with, if the client said so. */
  algorithm: DigestAlgorithm | null
}

/**
 * Begins an upload. The session is durable before the first byte is taken, so every object that is ever written begins
 * with the id of a row.
 *
 * @throws RegistryError `UNAUTHORIZED`, `DENIED` (also when the repository is private and every backend is public),
 * `TOOMANYREQUESTS`.
 */
export async function openUpload(
  ports: Ports,
  principal: Principal,
  { repository, algorithm }: OpenUploadInput,
): Promise<UploadSession> {
  const { metadata, settings } = ports
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'push', repository, facts)
  return metadata.openUpload({
    id: newUploadId(),
    repository,
    defaultVisibility: settings.defaultVisibility,
    principal: principalName(principal),
    rules: placementOf(ports),
    algorithm,
    lifetime: settings.uploadLifetime,
    limit: settings.limits.uploadsPerRepository,
  })
}
