import type { LinkElsewhere, Page, PageRequest } from '@openregistry/core'
import { inlineBackend } from '../rows/location.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

interface Found extends Omit<LinkElsewhere, 'blobId' | 'there'> {
  blob_id: number
  there: unknown
}

/** See `PlacementStore.listLinksElsewhere`. */
export function* listLinksElsewhere(
  sql: Sql,
  repositoryId: string,
  backend: string,
  page: PageRequest<string>,
): Step<Page<LinkElsewhere>> {
  const rows = yield* all<Found>(sql`
    SELECT k.digest, k.blob_id, b.sha256, b.size, b.cid,
      EXISTS (SELECT 1 FROM good_locations AS l
        WHERE l.blob_id = k.blob_id AND l.backend IN (${backend}, ${inlineBackend})) AS there
    FROM repository_blobs AS k JOIN blobs AS b ON b.id = k.blob_id
    WHERE k.repository_id = ${repositoryId} AND k.digest > ${startAfter(page)}
      AND k.backend <> ${inlineBackend} AND (k.backend <> ${backend} OR NOT EXISTS (
        SELECT 1 FROM good_locations AS l
        WHERE l.blob_id = k.blob_id AND l.backend IN (${backend}, ${inlineBackend})))
    ORDER BY k.digest LIMIT ${rowsFor(page)}`)
  return pageOf(rows, page, ({ blob_id: blobId, there, ...link }) => {
    return { ...link, blobId, there: Boolean(there) }
  })
}
