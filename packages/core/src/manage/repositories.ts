import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import { settleJobName } from '../ipfs/settle-visibility.ts'
import type { RepositoryFacts, Visibility } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'

interface RepositoryInput {
  repository: RepositoryName
}

/**
 * A repository as it is.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function getRepository(
  { metadata }: Ports,
  principal: Principal,
  { repository }: RepositoryInput,
): Promise<RepositoryFacts> {
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'pull', repository, facts)
  return requireRepository(facts, repository)
}

/**
 * Changes who may see a repository; true for the next request on every replica.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`; `CONFLICT` when it is to be private and has content in a
 * public backend.
 */
export async function setVisibility(
  ports: Ports,
  principal: Principal,
  { repository, visibility }: RepositoryInput & { visibility: Visibility },
): Promise<RepositoryFacts> {
  const { metadata } = ports
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'admin', repository, facts)
  requireRepository(facts, repository)
  const changed = await metadata.setVisibility(repository, visibility, placementOf(ports))
  if (facts?.visibility !== visibility) {
    await metadata.enqueueJob({ kind: settleJobName, key: '', payload: '', delay: 0 })
  }
  return requireRepository(changed, repository)
}

/**
 * Deletes a repository with everything in it; its name is free at once.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`.
 */
export async function deleteRepository(
  { metadata }: Ports,
  principal: Principal,
  { repository }: RepositoryInput,
): Promise<void> {
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'admin', repository, facts)
  requireRepository(facts, repository)
  const deleted = await metadata.deleteRepository(repository, principalName(principal))
  if (!deleted) throw unknownRepository(repository)
}

function requireRepository(facts: RepositoryFacts | null, name: RepositoryName): RepositoryFacts {
  if (facts === null) throw unknownRepository(name)
  return facts
}

function unknownRepository(name: RepositoryName): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `There is no repository "${name}" here.`)
}
