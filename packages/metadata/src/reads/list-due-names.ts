import type { Milliseconds } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.listDueNames`. Directories without a name are valid until 1970. */
export function* listDueNames(
  sql: Sql,
  before: Milliseconds,
  limit: number,
): Step<{ repositoryId: string }[]> {
  const rows = yield* all<{ repository_id: string }>(sql`
    SELECT repository_id FROM directories WHERE valid_until < ${sql.now} + ${before}
    ORDER BY valid_until LIMIT ${limit}`)
  return rows.map(({ repository_id: repositoryId }) => ({ repositoryId }))
}
