import type { Milliseconds } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.listLayoutPins`; whether one is wanted is the question of `isLayoutPublic`. */
export function* listLayoutPins(
  sql: Sql,
  backend: string,
  { open, unseenFor, limit }: { open: boolean; unseenFor: Milliseconds; limit: number },
): Step<{ root: Uint8Array; wanted: boolean }[]> {
  const rows = yield* all<{ root: Uint8Array; wanted: unknown }>(sql`
    SELECT p.root, EXISTS (
      SELECT 1 FROM layouts AS y
      JOIN live_manifests AS m ON m.id = y.manifest_id
      JOIN repositories AS r ON r.id = m.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
      WHERE y.root = p.root AND y.stored AND NOT (${open} AND r.confined)) AS wanted
    FROM layout_pins AS p
    WHERE p.backend = ${backend} AND p.looked_at <= ${sql.now} - ${unseenFor}
    ORDER BY p.looked_at LIMIT ${limit}`)
  return rows.map(({ root, wanted }) => ({ root, wanted: Boolean(wanted) }))
}
