import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { Move } from '../ports/placement.ts'
import type { Ports } from '../settings.ts'
import { placementOf } from './rules.ts'

/** Slower than this a chunk would outlast the session of its copy. Bytes a second. */
const leastRate = 1024

/** Which repository, where to, and how fast. */
export interface MoveRepositoryInput {
  repository: RepositoryName
  /** The name of a backend. */
  backend: string
  /** Bytes a second, 1024 at least; 0: as many as come. */
  rate: number
}

/** Where a repository's content belongs, and how its newest move stands. */
export interface MoveStatus {
  /** Where it was moved to; null while it goes by the configuration. */
  backend: string | null
  move: Move | null
}

/**
 * Says that the content of a repository belongs into another backend from now on. A job brings it there; new content goes
 * there at once.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`; `PARAMETER_INVALID` when there is no such backend or rate;
 * `CONFLICT` when it is being moved elsewhere already, or is private and the backend is not.
 */
export async function moveRepository(
  ports: Ports,
  principal: Principal,
  { repository, backend, rate }: MoveRepositoryInput,
): Promise<MoveStatus> {
  const { metadata } = ports
  await requireAdmin(ports, principal, repository)
  const rules = placementOf(ports)
  if (!rules.backends.includes(backend)) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      `There is no storage backend "${backend}" here; there is ${rules.backends.join(', ')}.`,
    )
  }
  if (rate !== 0 && rate < leastRate) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      `A rate is ${leastRate} bytes a second, or more; 0 is no bound.`,
    )
  }
  const principalOf = principalName(principal)
  const move = await metadata.startMove({ repository, backend, rate, principal: principalOf, rules })
  if (move === null) throw unknownRepository(repository)
  return { backend: move.backend, move }
}

/**
 * How the newest move of a repository stands.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`.
 */
export async function getMove(
  ports: Ports,
  principal: Principal,
  { repository }: { repository: RepositoryName },
): Promise<MoveStatus> {
  const found = await ports.metadata.findMove(repository)
  authorize(principal, 'admin', repository, found?.repository ?? null)
  if (found === null) throw unknownRepository(repository)
  return { backend: found.backend, move: found.move }
}

/**
 * Stops a move that is running. What was moved stays where it is; new content goes where it went before.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`; `CONFLICT` when it is not being moved.
 */
export async function cancelMove(
  ports: Ports,
  principal: Principal,
  { repository }: { repository: RepositoryName },
): Promise<MoveStatus> {
  await requireAdmin(ports, principal, repository)
  const move = await ports.metadata.cancelMove(repository)
  if (move === null) throw new RegistryError('CONFLICT', `${repository} is not being moved.`)
  return getMove(ports, principal, { repository })
}

async function requireAdmin(
  { metadata }: Ports,
  principal: Principal,
  repository: RepositoryName,
): Promise<void> {
  const facts = await metadata.findRepository(repository)
  authorize(principal, 'admin', repository, facts)
  if (facts === null) throw unknownRepository(repository)
}

function unknownRepository(name: RepositoryName): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `There is no repository "${name}" here.`)
}
