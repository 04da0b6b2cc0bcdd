import type { JobRecord } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `JobQueue.listJobs`. */
export function* listJobs(sql: Sql, limit: number): Step<JobRecord[]> {
  const rows = yield* all<Row>(sql`
    SELECT id, kind, unique_key, run_after, attempts, last_error,
      CASE
        WHEN failed_at IS NOT NULL THEN 'failed'
        WHEN leased_until > ${sql.now} THEN 'running'
        ELSE 'waiting'
      END AS state
    FROM jobs ORDER BY id LIMIT ${limit}`)
  return rows.map(({ unique_key, run_after, last_error, ...row }) => ({
    id: row.id,
    kind: row.kind,
    key: unique_key,
    state: row.state,
    runAfter: run_after,
    attempts: row.attempts,
    error: last_error,
  }))
}

interface Row extends Pick<JobRecord, 'id' | 'kind' | 'state' | 'attempts'> {
  unique_key: string | null
  run_after: number
  last_error: string | null
}
