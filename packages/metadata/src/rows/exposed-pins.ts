import type { ReleasedPin } from '@openregistry/core'
import { all, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  root: Uint8Array
  backend: string
  under_way: unknown
}

/**
 * Layouts of a repository that these backends hold on its account: what was pinned for it, whatever became of the manifest
 * since, and what others had pinned that it has, too; unless another repository shows the same layout that may be there.
 * Of those that may be private at once, one goes first: rows are locked in their order.
 */
export function* exposedPins(
  sql: Sql,
  repositoryId: string,
  { open, limit }: { open: readonly string[]; limit: number },
): Step<ReleasedPin[]> {
  yield* run(sql`
    SELECT p.root FROM layout_pins AS p
    WHERE p.backend IN ${sql.texts(open)} AND p.root IN (
      SELECT o.root FROM layout_pin_owners AS o WHERE o.repository_id = ${repositoryId}
      UNION ALL
      SELECT y.root FROM manifests AS m JOIN layouts AS y ON y.manifest_id = m.id
      WHERE m.repository_id = ${repositoryId})
    ORDER BY p.root, p.backend ${sql.lock('FOR NO KEY UPDATE')}`)
  const rows = yield* all<Found>(sql`
    SELECT p.root, p.backend, p.under_way FROM layout_pins AS p
    WHERE p.backend IN ${sql.texts(open)} AND p.root IN (
      SELECT o.root FROM layout_pin_owners AS o WHERE o.repository_id = ${repositoryId}
      UNION ALL
      SELECT y.root FROM manifests AS m JOIN layouts AS y ON y.manifest_id = m.id
      WHERE m.repository_id = ${repositoryId})
      AND NOT EXISTS (
        SELECT 1 FROM layouts AS y
        JOIN live_manifests AS m ON m.id = y.manifest_id
        JOIN live_repositories AS r ON r.id = m.repository_id
        WHERE y.root = p.root AND y.stored AND r.id <> ${repositoryId}
          AND r.visibility = 'public' AND NOT r.confined)
    ORDER BY p.root, p.backend LIMIT ${limit}`)
  return rows.map(({ root, backend, under_way }) => ({ root, backend, underWay: Boolean(under_way) }))
}
