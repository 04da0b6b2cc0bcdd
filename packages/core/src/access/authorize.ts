import { RegistryError, type RepositoryName } from '@openregistry/oci'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import { decide, type RepositoryAction } from './decide.ts'
import type { Principal } from './principal.ts'

/**
 * Lets the principal act on a repository, or throws the answer that gives nothing away.
 *
 * @param facts the repository as it was read together with the data, or null when there is none.
 * @throws RegistryError `UNAUTHORIZED` when credentials are missing, whether or not the repository exists; `NAME_UNKNOWN`
 * when the principal may not know that it exists; `DENIED` when only the right is missing.
 */
export function authorize(
  principal: Principal,
  action: RepositoryAction,
  name: RepositoryName,
  facts: RepositoryFacts | null,
): void {
  const decision = decide(
    principal,
    { action, resource: { kind: 'repository', name } },
    { repository: facts },
  )
  if (decision.allow) return
  if (decision.reason === 'credentials-needed') {
    throw new RegistryError('UNAUTHORIZED', 'Credentials are needed here. Log in and try again.')
  }
  if (!decision.visible) throw new RegistryError('NAME_UNKNOWN')
  throw new RegistryError('DENIED', `You do not have the right to ${action} here.`)
}

/**
 * Lets the principal act on the instance as a whole, or throws.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`.
 */
export function authorizeInstance(principal: Principal, action: 'ping' | 'list' | 'operate'): void {
  const decision = decide(principal, { action, resource: { kind: 'instance' } })
  if (decision.allow) return
  if (decision.reason === 'credentials-needed')
    throw new RegistryError('UNAUTHORIZED', 'Credentials are needed here.')
  throw new RegistryError('DENIED')
}
