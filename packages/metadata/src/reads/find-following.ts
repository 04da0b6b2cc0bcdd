import type { Milliseconds } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * Live manifests that would be deleted with their subjects now, as `collectManifests` goes on until it finds none: an index
 * that follows no longer keeps what it names, and without a time of grace whatever follows is itself gone, and followed.
 * Held in memory, 8 bytes or so for each.
 */
export function* findFollowing(
  sql: Sql,
  { now, grace }: { now: Milliseconds; grace: Milliseconds },
): Step<number[]> {
  const following: number[] = []
  for (;;) {
    const known = sql.integers(following)
    const gone = sql.integers(grace === 0 ? following : [])
    const found = yield* all<{ id: number }>(sql`
      WITH gone AS (
        SELECT s.repository_id, s.digest, s.deleted_at AS at
        FROM manifests AS s JOIN live_repositories AS r ON r.id = s.repository_id
        WHERE s.deleted_at <= ${now - grace}
        UNION ALL
        SELECT s.repository_id, s.digest, ${now} FROM manifests AS s WHERE s.id IN ${gone}
      ), attached AS (
        SELECT m.id FROM gone
        JOIN manifests AS m ON m.repository_id = gone.repository_id AND m.subject = gone.digest AND m.deleted_at IS NULL
        WHERE m.pushed_at <= gone.at
        UNION
        SELECT m.id FROM gone
        JOIN tags AS t ON t.repository_id = gone.repository_id
          AND t.name >= substr(replace(gone.digest, ':', '-'), 1, 71)
          AND t.name < substr(replace(gone.digest, ':', '-'), 1, 71) || '/'
        JOIN manifests AS m ON m.id = t.manifest_id
        WHERE t.updated_at <= gone.at AND m.pushed_at <= gone.at AND substr(t.name, 72, 1) IN ('', '.')
      )
      SELECT m.id FROM attached JOIN manifests AS m ON m.id = attached.id
      WHERE m.id NOT IN ${known}
        AND NOT EXISTS (
          SELECT 1 FROM tags AS t WHERE t.manifest_id = m.id
            AND NOT (substr(t.name, 72, 1) IN ('', '.') AND EXISTS (
              SELECT 1 FROM manifests AS s
              WHERE s.repository_id = t.repository_id
                AND s.digest >= substr(t.name, 1, 6) || ':' || substr(t.name, 8, 64)
                AND s.digest < substr(t.name, 1, 6) || ':' || substr(t.name, 8, 64) || 'g'
                AND ((s.deleted_at <= ${now - grace} AND t.updated_at <= s.deleted_at) OR s.id IN ${gone}))))
        AND NOT EXISTS (
          SELECT 1 FROM manifest_refs AS needed
          WHERE needed.repository_id = m.repository_id AND needed.digest = m.digest AND needed.live
            AND needed.manifest_id NOT IN ${known})`)
    if (found.length === 0) return following
    for (const { id } of found) following.push(id)
  }
}
