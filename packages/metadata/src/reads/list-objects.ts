import type { StorageKey } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.listObjects`. */
export function* listObjects(sql: Sql, blobId: number): Step<{ backend: string; key: StorageKey }[]> {
  const rows = yield* all<{ backend: string; key: StorageKey }>(sql`
    SELECT backend, key FROM good_locations WHERE blob_id = ${blobId} AND key IS NOT NULL ORDER BY backend`)
  return rows.map(({ backend, key }) => ({ backend, key }))
}
