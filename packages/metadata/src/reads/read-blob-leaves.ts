import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.readBlobLeaves`. */
export function* readBlobLeaves(sql: Sql, blobId: number): Step<Uint8Array | null> {
  const row = yield* first<{ leaves: Uint8Array }>(sql`SELECT leaves FROM blobs WHERE id = ${blobId}`)
  return row?.leaves ?? null
}
