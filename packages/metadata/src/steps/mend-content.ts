import type { MendedContent } from '@openregistry/core'
import { blockRows } from '../rows/blob.ts'
import { hit, run, runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.mendContent`. */
export function* mendContent(sql: Sql, content: MendedContent): Step<void> {
  const { location, blobId, claim, size, sha512, cid, leaves } = content
  const there = yield* hit(sql`SELECT 1 FROM blobs WHERE id = ${blobId} ${sql.lock('FOR UPDATE')}`)
  if (!there) return
  yield* run(sql`
    UPDATE blobs SET size = ${size}, sha512 = ${sha512}, cid = ${cid}, leaves = ${leaves} WHERE id = ${blobId}`)
  yield* run(sql`DELETE FROM blocks WHERE blob_id = ${blobId}`)
  if (content.nodes.length > 0) yield* runEach(blockRows(sql, blobId, content))
  yield* run(sql`
    UPDATE blob_locations SET state = 'good', verified_at = ${sql.now}, claim = NULL, claimed_until = NULL
    WHERE id = ${location} AND claim = ${claim}`)
}
