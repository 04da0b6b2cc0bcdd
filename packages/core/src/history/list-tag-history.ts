import { RegistryError, type RepositoryName, type Tag } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { decide } from '../access/decide.ts'
import type { Principal } from '../access/principal.ts'
import { pageSize } from '../discover/paging.ts'
import type { TagChange } from '../ports/history.ts'
import type { Milliseconds, RepositoryFacts } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'

/** Which changes; the newest come first. */
export interface ListTagHistoryInput {
  repository: RepositoryName
  /** Of one tag; null for all tags of the repository, those that are deleted too. */
  tag: Tag | null
  /** Begin with the change that was in force at this moment; only with a tag. */
  at: Milliseconds | null
  /** Changes before this one, at most `n`; both may be missing. */
  last: number | null
  n: number | null
}

/** A change as the principal may see it. */
export interface ListedTagChange extends Omit<TagChange, 'changedBy'> {
  /** Null to those who may only pull: who works here is not for everybody. */
  changedBy: string | null
  /** Until when the manifest can be restored for certain; null when it is not deleted. */
  restorableUntil: Milliseconds | null
}

/**
 * What happened to tags: who, when, from what to what.
 *
 * Whoever may pull sees the past of a tag that is there, without names. Deleted tags, the repository as a whole, and who it
 * was are for those who may push: what was taken away in a public repository is not shown to the world by its history.
 *
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `NAME_UNKNOWN`, `PARAMETER_INVALID`.
 */
export async function listTagHistory(
  { metadata, settings }: Ports,
  principal: Principal,
  { repository, tag, at, last, n }: ListTagHistoryInput,
): Promise<{ items: ListedTagChange[]; next: number | null }> {
  if (at !== null && tag === null)
    throw new RegistryError('PARAMETER_INVALID', 'A moment ("at") goes with a tag.')
  const limit = pageSize(n, settings.limits.page)
  const after = await beginning({ metadata }, { repository, tag, at, last })
  const found = await metadata.listTagHistory(repository, tag, { after, limit })
  const facts = found?.repository ?? null
  authorize(principal, tag !== null && found?.present === true ? 'pull' : 'push', repository, facts)
  if (found === null) throw new RegistryError('NAME_UNKNOWN', `There is no repository "${repository}" here.`)
  const seesNames = maySeeNames(principal, repository, facts)
  const items = found.page.items.map((change) => ({
    ...change,
    changedBy: seesNames ? change.changedBy : null,
    restorableUntil: change.deletedAt === null ? null : change.deletedAt + settings.grace,
  }))
  return { items, next: found.page.more && limit > 0 ? (items.at(-1)?.id ?? null) : null }
}

/** The id that the page begins below, or null for the newest. */
async function beginning(
  { metadata }: Pick<Ports, 'metadata'>,
  { repository, tag, at, last }: Pick<ListTagHistoryInput, 'repository' | 'tag' | 'at' | 'last'>,
): Promise<number | null> {
  if (at === null || tag === null) return last
  // Ids begin at 1: nothing is below it, and so nothing was there before the first change.
  const inForce = (await metadata.findTagChangeAt(repository, tag, at)) ?? 0
  return Math.min(inForce + 1, last ?? Number.MAX_SAFE_INTEGER)
}

function maySeeNames(
  principal: Principal,
  name: RepositoryName,
  repository: RepositoryFacts | null,
): boolean {
  return decide(principal, { action: 'push', resource: { kind: 'repository', name } }, { repository }).allow
}
