import type { UnsettledRepository } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.listUnsettled`. */
export function* listUnsettled(sql: Sql, after: string, limit: number): Step<UnsettledRepository[]> {
  const rows = yield* all<UnsettledRepository>(sql`
    SELECT id, visibility FROM repositories
    WHERE deleted_at IS NULL AND unsettled AND id > ${after} ORDER BY id LIMIT ${limit}`)
  return rows.map(({ id, visibility }) => ({ id, visibility }))
}
