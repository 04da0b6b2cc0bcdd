import { authorizeInstance } from '../access/authorize.ts'
import { listingScope } from '../access/decide.ts'
import type { Principal } from '../access/principal.ts'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { pageSize, type Listed, type ListInput } from './paging.ts'

/**
 * Repositories that the principal may pull from, in bytewise order of their names.
 * @throws RegistryError `UNAUTHORIZED`.
 */
export async function listRepositories(
  { metadata, settings }: Ports,
  principal: Principal,
  { last, n }: ListInput,
): Promise<Listed<RepositoryFacts>> {
  authorizeInstance(principal, 'list')
  const limit = pageSize(n, settings.limits.page)
  const { items, more } = await metadata.listRepositories(listingScope(principal), { after: last, limit })
  return { items, next: more && limit > 0 ? (items.at(-1)?.name ?? null) : null }
}
