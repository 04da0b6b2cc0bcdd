import { RegistryError, type RepositoryName, type Tag } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { Page, RepositoryFacts, TagRecord } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { pageSize, type Listed, type ListInput } from './paging.ts'

/** Whose tags. */
export interface ListTagsInput extends ListInput {
  repository: RepositoryName
}

/**
 * Names of the tags of a repository in bytewise order.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function listTagNames(
  ports: Ports,
  principal: Principal,
  input: ListTagsInput,
): Promise<Listed<Tag>> {
  const limit = pageSize(input.n, ports.settings.limits.page)
  const found = await ports.metadata.listTagNames(input.repository, { after: input.last, limit })
  const { items, more } = await requirePage(ports, principal, input.repository, found)
  return { items, next: more && limit > 0 ? (items.at(-1) ?? null) : null }
}

/**
 * The same with what each tag points to.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function listTags(
  ports: Ports,
  principal: Principal,
  input: ListTagsInput,
): Promise<Listed<TagRecord>> {
  const limit = pageSize(input.n, ports.settings.limits.page)
  const found = await ports.metadata.listTags(input.repository, { after: input.last, limit })
  const { items, more } = await requirePage(ports, principal, input.repository, found)
  return { items, next: more && limit > 0 ? (items.at(-1)?.tag ?? null) : null }
}

/** The page, if the principal may see it. A repository without any manifest has no list, but its facts count. */
async function requirePage<T>(
  { metadata }: Ports,
  principal: Principal,
  name: RepositoryName,
  found: { repository: RepositoryFacts; page: Page<T> } | null,
): Promise<Page<T>> {
  authorize(principal, 'pull', name, found?.repository ?? (await metadata.findRepository(name)))
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${name}" here.`)
  return found.page
}
