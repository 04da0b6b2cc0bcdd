import { inlineBackend } from '../rows/location.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.countMove`. */
export function* countMove(sql: Sql, repositoryId: string): Step<void> {
  yield* run(sql`
    UPDATE moves SET blobs_total = counted.blobs + blobs_done, bytes_total = counted.bytes + bytes_done
    FROM (
      SELECT count(*) AS blobs, CAST(COALESCE(sum(b.size), 0) AS BIGINT) AS bytes
      FROM repositories AS r
      JOIN repository_blobs AS k ON k.repository_id = r.id AND k.backend <> r.backend
      JOIN blobs AS b ON b.id = k.blob_id
      WHERE r.id = ${repositoryId} AND k.backend <> ${inlineBackend}
    ) AS counted
    WHERE repository_id = ${repositoryId} AND blobs_total IS NULL`)
}
