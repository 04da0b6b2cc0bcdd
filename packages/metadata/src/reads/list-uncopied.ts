import type { UncopiedBlob } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest } from '@openregistry/oci'
import { ownersOf } from '../rows/owner.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  sha256: Digest
  size: number
  cid: Cid
  lacks: unknown
}

/** See `PlacementStore.listUncopied`. */
export function* listUncopied(
  sql: Sql,
  input: { backend: string; open: boolean; after: number; limit: number },
): Step<{ items: UncopiedBlob[]; position: number; more: boolean }> {
  const { backend, open, after, limit } = input
  const rows = yield* all<Found>(sql`
    SELECT b.id, b.sha256, b.size, b.cid,
      (EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = b.id AND l.key IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM good_locations AS l
          WHERE l.blob_id = b.id AND l.backend = ${backend})) AS lacks
    FROM blobs AS b WHERE b.id > ${after} ORDER BY b.id LIMIT ${limit}`)
  const lacking = rows.filter(({ lacks }) => Boolean(lacks))
  const owners = yield* ownersOf(
    sql,
    lacking.map(({ id }) => id),
    open,
  )
  const items = lacking.flatMap(({ id: blobId, sha256, size, cid }) => {
    const repository = owners.get(blobId)
    return repository === undefined ? [] : [{ blobId, sha256, size, cid, repository }]
  })
  return { items, position: rows.at(-1)?.id ?? after, more: rows.length === limit }
}
