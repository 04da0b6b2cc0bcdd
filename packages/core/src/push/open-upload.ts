import { RegistryError, type DigestAlgorithm, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { RepositoryFacts, UploadSession } from '../ports/metadata-store.ts'
import { newUploadId } from '../ports/storage-key.ts'
import { backendNamed, type Ports } from '../settings.ts'

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
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `TOOMANYREQUESTS`.
 */
export async function openUpload(
  ports: Ports,
  principal: Principal,
  { repository, algorithm }: OpenUploadInput,
): Promise<UploadSession> {
  const { metadata, settings } = ports
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'push', repository, facts)
  requireAllowedBackend(ports, facts)
  return metadata.openUpload({
    id: newUploadId(),
    repository,
    defaultVisibility: settings.defaultVisibility,
    principal: principalName(principal),
    backend: settings.backend,
    algorithm,
    lifetime: settings.uploadLifetime,
    limit: settings.limits.uploadsPerRepository,
  })
}

/**
 * Content of a repository that is not public never goes to a backend that the public network can read.
 * @throws RegistryError `DENIED`.
 */
function requireAllowedBackend(ports: Ports, facts: RepositoryFacts | null): void {
  const visibility = facts?.visibility ?? ports.settings.defaultVisibility
  const store = backendNamed(ports, ports.settings.backend)
  if (visibility !== 'public' && store.public) {
    throw new RegistryError(
      'DENIED',
      `The repository is private, and the storage backend "${store.backend}" is public. Configure a backend that is not.`,
    )
  }
}
