import type { Milliseconds, UploadId } from '@openregistry/core'
import { hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.renewUpload`. */
export function* renewUpload(sql: Sql, upload: UploadId, lifetime: Milliseconds): Step<boolean> {
  return yield* hit(sql`
    UPDATE uploads SET expires_at = ${sql.now} + ${lifetime}
    WHERE id = ${upload} AND ended_at IS NULL AND expires_at > ${sql.now}
    RETURNING 1`)
}
