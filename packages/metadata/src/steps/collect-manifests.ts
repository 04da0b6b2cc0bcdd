import type { CollectAfter, CollectionStep } from '@openregistry/core'
import { findAttached, retireAttached, type Attached } from '../rows/attached-manifest.ts'
import { collected, deleteManifestRows } from '../rows/collected.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Whom the histories of tags name. No user is called so: theirs begin with `user:`. */
const principal = 'gc'

/** Repositories in which one step takes what is attached: each is a few statements, and all stay locked to its end. */
const repositoriesAtOnce = 20

/** See `CollectionSteps.collectManifests`. */
export function* collectManifests(sql: Sql, { grace, limit }: CollectAfter): Step<CollectionStep> {
  const due = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE deleted_at <= ${sql.now} - ${grace} ORDER BY deleted_at LIMIT ${limit}`)
  if (due.length === 0) return collected({})
  const ids = due.map(({ id }) => id)
  const attached = yield* findAttached(sql, sql.integers(ids), limit)
  const retired = yield* retireAll(sql, attached)
  // One of them may be an index that kept another one: the rows of subjects go once nothing more follows them.
  if (retired > 0) return collected({ more: true })
  // What is attached and busy keeps the row of its subject, by which it is found again.
  if (attached.length >= limit) return collected({})
  const kept = new Set(attached.map(({ subject_id }) => subject_id))
  const free = ids.filter((id) => !kept.has(id))
  // Asked again under the lock: one of them may have been pushed or restored.
  const held = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE id IN ${sql.integers(free)} AND deleted_at <= ${sql.now} - ${grace}
    ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (held.length === 0) return collected({})
  const deleted = yield* deleteManifestRows(
    sql,
    held.map(({ id }) => id),
  )
  return collected({ manifests: deleted.manifests, more: !deleted.all || due.length >= limit })
}

/** One repository after the other, in the one order for whoever locks something in several. */
function* retireAll(sql: Sql, attached: readonly Attached[]): Step<number> {
  const repositories = Map.groupBy(attached, ({ repository_id }) => repository_id)
  let retired = 0
  for (const repositoryId of [...repositories.keys()].sort().slice(0, repositoriesAtOnce)) {
    retired += yield* retireAttached(sql, { repositoryId, principal }, repositories.get(repositoryId)!)
  }
  return retired
}
