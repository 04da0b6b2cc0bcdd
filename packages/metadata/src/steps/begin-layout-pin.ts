import type { BeginLayoutPin } from '@openregistry/core'
import { isAllowed } from '@openregistry/core/placement'
import { joinRepositoryById, placedAs } from '../rows/repository.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.beginLayoutPin`. */
export function* beginLayoutPin(
  sql: Sql,
  { repositoryId, backend, root, rules }: BeginLayoutPin,
): Step<boolean> {
  const repository = yield* joinRepositoryById(sql, repositoryId)
  if (repository === null) return false
  const placed = yield* placedAs(sql, repository)
  if (placed.visibility !== 'public' || !isAllowed(rules, placed, backend)) return false
  yield* run(sql`
    INSERT INTO layout_pins (root, backend, pinned_at, looked_at, under_way)
    VALUES (${root}, ${backend}, NULL, ${sql.now}, TRUE)
    ON CONFLICT (root, backend) DO UPDATE SET looked_at = excluded.looked_at, under_way = TRUE`)
  yield* run(sql`
    INSERT INTO layout_pin_owners (repository_id, root, backend) VALUES (${repositoryId}, ${root}, ${backend})
    ON CONFLICT (repository_id, root, backend) DO NOTHING`)
  return true
}
