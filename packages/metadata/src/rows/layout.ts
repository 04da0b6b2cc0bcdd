import type { ImageLayout } from '@openregistry/core'
import { all, hit, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { tagsChanged } from './tag.ts'

/** Columns of `layouts` as a read joins them; all null when there is no row. */
export interface LayoutColumns {
  root: Uint8Array | null
  layout_size: number | null
  stored: unknown
  age: number | null
}

/** The layout of a joined row, or null when there is none. */
export function layoutOf(row: LayoutColumns): ImageLayout | null {
  if (row.layout_size === null || row.age === null) return null
  return { root: row.root, size: row.layout_size, stored: Boolean(row.stored), age: row.age }
}

/**
 * Forgets the layouts of live indexes that name one of these manifests, however they are nested: without it their images
 * are not whole here any more.
 */
export function* dropLayoutsAbove(
  sql: Sql,
  repositoryId: string,
  manifestIds: readonly number[],
): Step<void> {
  const above = new Set<number>()
  for (let below = manifestIds; below.length > 0;) {
    const naming = yield* all<{ id: number }>(sql`
      SELECT m.id FROM manifests AS named
      JOIN manifest_refs AS f ON f.repository_id = named.repository_id AND f.digest = named.digest AND f.live
      JOIN live_manifests AS m ON m.id = f.manifest_id
      WHERE named.id IN ${sql.integers(below)}`)
    below = naming.map(({ id }) => id).filter((id) => !above.has(id))
    for (const id of below) above.add(id)
  }
  if (above.size === 0) return
  yield* run(sql`DELETE FROM layouts WHERE manifest_id IN ${sql.integers([...above])}`)
  yield* run(tagsChanged(sql, repositoryId))
}

/**
 * Whether an image with a layout of this root is public now, so that the blocks of the layout are to be pinned; `open`: where
 * others can read them without us.
 */
export function* isLayoutPublic(sql: Sql, root: Uint8Array, { open }: { open: boolean }): Step<boolean> {
  return yield* hit(sql`
    SELECT 1 FROM layouts AS y
    JOIN live_manifests AS m ON m.id = y.manifest_id
    JOIN repositories AS r ON r.id = m.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
    WHERE y.root = ${root} AND y.stored AND NOT (${open} AND r.confined) LIMIT 1`)
}
