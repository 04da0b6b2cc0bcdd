import type { RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { Ports } from '../settings.ts'

/**
 * Whether the principal may push here: for transports that hold a body in memory, to be asked before they read it. The
 * push itself asks again.
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`.
 */
export async function requirePush(
  { metadata }: Ports,
  principal: Principal,
  { repository }: { repository: RepositoryName },
): Promise<void> {
  authorize(principal, 'push', repository, await metadata.findRepository(repository))
}
