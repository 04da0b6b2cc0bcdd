import type { DueRoot } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found<Id> {
  id: Id
  root: Uint8Array
  wanted: unknown
}

/** See `IpfsStore.listDueRoots`. */
export function* listDueRoots(sql: Sql, of: 'layouts' | 'directories', limit: number): Step<DueRoot[]> {
  if (of === 'layouts') {
    const layouts = yield* all<Found<number>>(sql`
      SELECT y.manifest_id AS id, y.root, EXISTS (
        SELECT 1 FROM live_manifests AS m
        JOIN repositories AS r ON r.id = m.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
        JOIN tags AS t ON t.manifest_id = m.id
        WHERE m.id = y.manifest_id) AS wanted
      FROM layouts AS y
      WHERE y.stored AND y.announce_due_at <= ${sql.now} ORDER BY y.announce_due_at LIMIT ${limit}`)
    return layouts.map(({ id, root, wanted }) => ({ of: { layout: id }, root, wanted: Boolean(wanted) }))
  }
  const directories = yield* all<Found<string>>(sql`
    SELECT d.repository_id AS id, d.root, EXISTS (
      SELECT 1 FROM repositories AS r JOIN tags AS t ON t.repository_id = r.id
      WHERE r.id = d.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public') AS wanted
    FROM directories AS d
    WHERE d.announce_due_at <= ${sql.now} ORDER BY d.announce_due_at LIMIT ${limit}`)
  return directories.map(({ id, root, wanted }) => ({ of: { directory: id }, root, wanted: Boolean(wanted) }))
}
