import type { DamagedLocation, Page, PageRequest, StorageKey } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest } from '@openregistry/oci'
import { placeOf } from '../rows/location.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  blob_id: number
  backend: string
  key: StorageKey | null
  state: DamagedLocation['state']
  sha256: Digest
  size: number
  cid: Cid
  served: unknown
}

/** See `ScrubStore.listDamage`. */
export function* listDamage(sql: Sql, page: PageRequest<number>): Step<Page<DamagedLocation>> {
  const rows = yield* all<Found>(sql`
    SELECT l.id, l.blob_id, l.backend, l.key, l.state, b.sha256, b.size, b.cid,
      EXISTS (SELECT 1 FROM good_locations AS g WHERE g.blob_id = l.blob_id) AS served
    FROM blob_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.state <> 'good' AND l.id > ${page.after ?? 0}
    ORDER BY l.id LIMIT ${page.limit + 1}`)
  const items = rows.slice(0, page.limit).map((row) => ({
    id: row.id,
    blobId: row.blob_id,
    place: placeOf(row),
    state: row.state,
    sha256: row.sha256,
    size: row.size,
    cid: row.cid,
    served: Boolean(row.served),
  }))
  return { items, more: rows.length > page.limit }
}
