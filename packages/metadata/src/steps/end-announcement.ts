import type { EndAnnouncement } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.endAnnouncement`. */
export function* endAnnouncement(sql: Sql, { of, root, announced, again }: EndAnnouncement): Step<void> {
  if ('directory' in of) {
    // Another root that was stored meanwhile keeps its turn.
    yield* run(sql`
      UPDATE directories SET announce_due_at = ${sql.now} + ${again}
      WHERE repository_id = ${of.directory} AND root = ${root}`)
  } else if (announced) {
    yield* run(sql`
      UPDATE layouts SET announced_at = ${sql.now}, announce_due_at = ${sql.now} + ${again}
      WHERE root = ${root} AND stored`)
  } else {
    yield* run(sql`
      UPDATE layouts SET announce_due_at = ${sql.now} + ${again} WHERE manifest_id = ${of.layout}`)
  }
}
