import type { PendingDelete } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.listPendingDeletes`. */
export function* listPendingDeletes(sql: Sql, limit: number, after = 0): Step<PendingDelete[]> {
  const rows = yield* all<PendingDelete>(sql`
    SELECT id, backend, key FROM pending_deletes WHERE id > ${after} ORDER BY id LIMIT ${limit}`)
  return rows.map(({ id, backend, key }) => ({ id, backend, key }))
}
