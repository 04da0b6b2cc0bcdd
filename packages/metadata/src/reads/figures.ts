import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Counting stops here, so that it costs the same whatever the size of the registry. */
const countedAtMost = 10_000

/** See `MetadataStore.figures`. Counts end at 10 000. */
export function* figures(
  sql: Sql,
): Step<{ schemaVersion: number; openUploads: number; pendingDeletes: number }> {
  const row = yield* first<{ version: number; uploads: number; deletes: number }>(sql`
    SELECT (SELECT max(version) FROM schema_migrations) AS version,
      (SELECT count(*) FROM (SELECT 1 FROM uploads WHERE ended_at IS NULL AND expires_at > ${sql.now}
        LIMIT ${countedAtMost}) AS open_sessions) AS uploads,
      (SELECT count(*) FROM (SELECT 1 FROM pending_deletes LIMIT ${countedAtMost}) AS queued) AS deletes`)
  return {
    schemaVersion: row?.version ?? 0,
    openUploads: row?.uploads ?? 0,
    pendingDeletes: row?.deletes ?? 0,
  }
}
