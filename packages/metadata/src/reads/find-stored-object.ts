import type { StorageKey } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.findStoredObject`. */
export function* findStoredObject(sql: Sql, sha256: Digest, backend: string): Step<StorageKey | null> {
  const row = yield* first<{ key: StorageKey | null }>(sql`
    SELECT l.key FROM blobs AS b JOIN good_locations AS l ON l.blob_id = b.id AND l.backend = ${backend}
    WHERE b.sha256 = ${sha256}`)
  return row?.key ?? null
}
