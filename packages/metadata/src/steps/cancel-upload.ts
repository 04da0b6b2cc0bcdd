import type { UploadId } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { giveAwayParts } from '../rows/session.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.cancelUpload`. */
export function* cancelUpload(sql: Sql, name: RepositoryName, id: UploadId): Step<boolean> {
  const ended = yield* first<{ backend: string }>(sql`
    UPDATE uploads SET ended_at = ${sql.now}
    WHERE id = ${id} AND ended_at IS NULL AND expires_at > ${sql.now}
      AND repository_id = (SELECT id FROM live_repositories WHERE name = ${name})
    RETURNING backend`)
  if (ended === null) return false
  yield* giveAwayParts(sql, id, ended.backend, null)
  return true
}
