import type { PutLayout } from '@openregistry/core'
import { lockRepository } from '../rows/repository.ts'
import { first, run, runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.putLayout`. */
export function* putLayout(sql: Sql, { repository: name, digest, layout }: PutLayout): Step<void> {
  const repository = yield* lockRepository(sql, name)
  if (repository === null) return
  const manifest = yield* first<{ id: number }>(sql`
    SELECT id FROM live_manifests WHERE repository_id = ${repository.id} AND digest = ${digest}
    ${sql.lock('FOR KEY SHARE')}`)
  if (manifest === null) return
  // Nothing of a private repository is left lying about, although nobody would find it.
  const blocks = repository.visibility === 'public' ? (layout?.blocks ?? []) : []
  const stored = blocks.length > 0
  // What was derived from the image since then stays as long as the layout is the same and can be seen.
  yield* run(sql`
    DELETE FROM layout_blocks WHERE manifest_id = ${manifest.id} AND NOT EXISTS (
      SELECT 1 FROM layouts
      WHERE manifest_id = ${manifest.id} AND ${stored} AND stored AND root = ${layout?.root ?? null})`)
  yield* run(sql`
    INSERT INTO layouts (manifest_id, root, size, stored, computed_at)
    VALUES (${manifest.id}, ${layout?.root ?? null}, ${layout?.size ?? 0}, ${stored}, ${sql.now})
    ON CONFLICT (manifest_id) DO UPDATE SET
      root = excluded.root, size = excluded.size, stored = excluded.stored, computed_at = excluded.computed_at, pin_due_at = 0`)
  yield* runEach(
    blocks.map(
      ({ sha256, bytes }) => sql`
        INSERT INTO layout_blocks (sha256, manifest_id, bytes) VALUES (${sha256}, ${manifest.id}, ${bytes})
        ON CONFLICT (sha256, manifest_id) DO NOTHING`,
    ),
  )
}
