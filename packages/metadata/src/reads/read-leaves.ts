import type { LeafRange } from '@openregistry/core'
import { first as firstRow, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Bytes of a SHA-256. */
const width = 32

/** See `MetadataStore.readLeaves`. */
export function* readLeaves(sql: Sql, { backend, key, first, count }: LeafRange): Step<Uint8Array | null> {
  // `substr` counts from 1, and of a blob it counts bytes.
  const row = yield* firstRow<{ leaves: Uint8Array }>(sql`
    SELECT substr(b.leaves, ${first * width + 1}, ${count * width}) AS leaves
    FROM good_locations AS l JOIN blobs AS b ON b.id = l.blob_id
    WHERE l.backend = ${backend} AND l.key = ${key}`)
  return row?.leaves ?? null
}
