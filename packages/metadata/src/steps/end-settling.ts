import type { UnsettledRepository } from '@openregistry/core'
import { beginPassesAnew } from '../rows/replication.ts'
import { tagsChanged } from '../rows/tag.ts'
import { hit, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * See `IpfsStore.endSettling`. Every step that adds rows holds the repository until it has committed. So when nobody
 * does, the rows are all there; where many push there may always be somebody, and then it is tried again later.
 */
export function* endSettling(sql: Sql, { id, visibility }: UnsettledRepository): Step<boolean> {
  const alone = yield* hit(sql`
    SELECT 1 FROM repositories
    WHERE id = ${id} AND visibility = ${visibility} AND deleted_at IS NULL AND unsettled
    ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (!alone) return false
  if (visibility === 'public') {
    // What was added while the others followed: a handful.
    yield* run(sql`
      UPDATE repository_blobs SET known_private = FALSE WHERE repository_id = ${id} AND known_private`)
    yield* run(sql`UPDATE manifests SET known_private = FALSE WHERE repository_id = ${id} AND known_private`)
    yield* run(tagsChanged(sql, id))
    yield* beginPassesAnew(sql)
  } else {
    yield* run(sql`DELETE FROM directories WHERE repository_id = ${id}`)
  }
  yield* run(sql`UPDATE repositories SET unsettled = FALSE WHERE id = ${id}`)
  return true
}
