import type { HashedBlock, Milliseconds, NameRenewal } from '@openregistry/core'
import { renewName } from '../rows/name.ts'
import { all, first, hit, run, runEach, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface PutDirectory {
  repositoryId: string
  root: Uint8Array
  blocks: readonly HashedBlock[]
  keep: Milliseconds
  name: NameRenewal | null
}

/** How soon a directory that took the place of another one is announced at the latest; many pushes are so one announcement. */
const announceWithin: Milliseconds = 600_000

/** See `IpfsStore.putDirectory`. After a push most shards of a large directory are what they were, and are not written. */
export function* putDirectory(
  sql: Sql,
  { repositoryId, root, blocks, keep, name }: PutDirectory,
): Step<void> {
  const isPublic = yield* first(sql`
    SELECT 1 FROM repositories WHERE id = ${repositoryId} AND deleted_at IS NULL AND visibility = 'public'
    ${sql.lock('FOR KEY SHARE')}`)
  if (isPublic === null) return
  // Whoever stores another one at the same moment waits here.
  const changed = yield* hit(sql`
    INSERT INTO directories (repository_id, root) VALUES (${repositoryId}, ${root})
    ON CONFLICT (repository_id) DO UPDATE SET root = excluded.root, announce_due_at = CASE
      WHEN directories.announce_due_at < ${sql.now} + ${announceWithin} THEN directories.announce_due_at
      ELSE ${sql.now} + ${announceWithin} END
    WHERE directories.root <> excluded.root
    RETURNING 1`)
  if (name !== null) yield* run(renewName(sql, repositoryId, name))
  if (!changed) return
  const current = yield* all<{ sha256: Uint8Array }>(sql`
    SELECT sha256 FROM directory_blocks WHERE repository_id = ${repositoryId} AND superseded_at IS NULL`)
  yield* runEach(changes(sql, repositoryId, current, blocks))
  yield* run(sql`
    DELETE FROM directory_blocks WHERE repository_id = ${repositoryId} AND superseded_at <= ${sql.now} - ${keep}`)
}

function* changes(
  sql: Sql,
  repositoryId: string,
  current: readonly { sha256: Uint8Array }[],
  blocks: readonly HashedBlock[],
): Generator<Query> {
  const before = new Set(current.map(({ sha256 }) => keyOf(sha256)))
  const after = new Set(blocks.map(({ sha256 }) => keyOf(sha256)))
  for (const { sha256 } of current) {
    if (after.has(keyOf(sha256))) continue
    yield sql`
      UPDATE directory_blocks SET superseded_at = ${sql.now}
      WHERE sha256 = ${sha256} AND repository_id = ${repositoryId}`
  }
  for (const { sha256, bytes } of blocks) {
    if (before.has(keyOf(sha256))) continue
    yield sql`
      INSERT INTO directory_blocks (sha256, repository_id, bytes) VALUES (${sha256}, ${repositoryId}, ${bytes})
      ON CONFLICT (sha256, repository_id) DO UPDATE SET superseded_at = NULL`
  }
}

function keyOf(sha256: Uint8Array): string {
  return sha256.toHex()
}
