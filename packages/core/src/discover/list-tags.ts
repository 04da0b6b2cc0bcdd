import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { TagRecord } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { pageSize, type Listed, type ListInput } from './paging.ts'

/**
 * Tags of a repository in bytewise order.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function listTags(
  { metadata, settings }: Ports,
  principal: Principal,
  { repository, last, n }: ListInput & { repository: RepositoryName },
): Promise<Listed<TagRecord>> {
  const limit = pageSize(n, settings.limits.page)
  const found = await metadata.listTags(repository, { after: last, limit })
  authorize(principal, 'pull', repository, found?.repository ?? (await metadata.findRepository(repository)))
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  const { items, more } = found.page
  return { items, next: more && limit > 0 ? (items.at(-1)?.tag ?? null) : null }
}
