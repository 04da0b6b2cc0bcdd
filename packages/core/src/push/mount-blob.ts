import { namespaceOf, type Digest, type RepositoryName } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import { authorize } from '../access/authorize.ts'
import { decide } from '../access/decide.ts'
import type { Principal } from '../access/principal.ts'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'

/** A wish to link a blob of another repository here. */
export interface MountBlobInput {
  repository: RepositoryName
  digest: Digest
  /** Where the client believes it to be, or null: anywhere that it may pull from. */
  from: RepositoryName | null
}

/**
 * Links a blob that is already here, without its bytes. Null when that is not possible, for whatever reason: the caller
 * then opens an ordinary upload, so that the answer never tells whether the blob exists somewhere else.
 *
 * @throws RegistryError `UNAUTHORIZED`, `DENIED` for the target alone.
 */
export async function mountBlob(
  ports: Ports,
  principal: Principal,
  { repository, digest, from }: MountBlobInput,
): Promise<{ digest: Digest; cid: Cid } | null> {
  const { metadata, settings } = ports
  authorize(principal, 'push', repository, await metadata.findRepository(repository))
  const source = await findSource(ports, repository, digest, from)
  if (source === null || !mayPull(principal, source)) return null
  const mounted = await metadata.mountBlob({
    source: source.id,
    target: repository,
    defaultVisibility: settings.defaultVisibility,
    digest,
    lease: settings.lease,
    rules: placementOf(ports),
  })
  if (!mounted) return null
  const found = await metadata.findBlob(repository, digest, { bytes: false })
  return found?.blob ? { digest, cid: found.blob.cid } : null
}

async function findSource(
  { metadata }: Ports,
  repository: RepositoryName,
  digest: Digest,
  from: RepositoryName | null,
): Promise<RepositoryFacts | null> {
  if (from === null) return metadata.findMountSource(namespaceOf(repository), digest)
  return metadata.findRepository(from)
}

function mayPull(principal: Principal, source: RepositoryFacts): boolean {
  const request = { action: 'pull', resource: { kind: 'repository', name: source.name } } as const
  return decide(principal, request, { repository: source }).allow
}
