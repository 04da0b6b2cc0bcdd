import type { Milliseconds } from '@openregistry/core'
import type { RepositoryName, Tag } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `HistoryStore.findTagChangeAt`. */
export function* findTagChangeAt(
  sql: Sql,
  name: RepositoryName,
  tag: Tag,
  at: Milliseconds,
): Step<number | null> {
  const row = yield* first<{ id: number }>(sql`
    SELECT id FROM tag_history
    WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND tag = ${tag}
      AND changed_at <= ${at}
    ORDER BY changed_at DESC, id DESC LIMIT 1`)
  return row?.id ?? null
}
