import type {
  CollectableContent,
  CollectionPreview,
  CollectionReason,
  Milliseconds,
} from '@openregistry/core'
import { all, first, type Step } from '../sql/query.ts'
import type { List, Sql } from '../sql/sql.ts'
import { findFollowing } from './find-following.ts'

/** Rows that nobody would read one by one are counted up to here. */
const countedAtMost = 10_000_000

interface Found {
  /** Null in the row of totals. */
  repository: string | null
  reason: CollectionReason
  manifests: number
  links: number
  blobs: number
  bytes: number
}

/** See `CollectionSteps.previewCollection`. */
export function* previewCollection(sql: Sql, grace: Milliseconds, limit: number): Step<CollectionPreview> {
  const clock = yield* first<{ now: Milliseconds }>(sql`SELECT ${sql.now} AS now`)
  const now = clock!.now
  const following = yield* findFollowing(sql, { now, grace })
  // Without a time of grace what follows is taken in the same run, with what it alone needs.
  const taken = sql.integers(grace === 0 ? following : [])
  const rows = yield* findGoing(sql, { now, before: now - grace, taken, limit })
  const counts = yield* first<{ repositories: number; pending: number }>(sql`
    SELECT (SELECT count(*) FROM repositories WHERE deleted_at IS NOT NULL AND emptied_at IS NULL) AS repositories,
      (SELECT count(*) FROM (SELECT 1 FROM pending_deletes LIMIT ${countedAtMost}) AS queued) AS pending`)
  const total = rows.find(({ repository }) => repository === null)
  const content = rows.flatMap(contentOf)
  return {
    content: content.slice(0, limit),
    more: content.length > limit,
    repositories: Number(counts?.repositories ?? 0),
    manifests: Number(total?.manifests ?? 0),
    links: Number(total?.links ?? 0),
    blobs: Number(total?.blobs ?? 0),
    bytes: Number(total?.bytes ?? 0),
    following: grace === 0 ? 0 : following.length,
    pendingDeletes: Number(counts?.pending ?? 0),
  }
}

/** Which moments and manifests a collection goes by. */
interface Bounds {
  now: Milliseconds
  /** What was deleted until then goes. */
  before: Milliseconds
  /** Live manifests that go with deleted ones. */
  taken: List
  limit: number
}

/**
 * The totals, and what goes from which repository and why. `going` is what the steps of the collector would take; a blob
 * goes with it when all of its links and manifests do.
 */
function* findGoing(sql: Sql, { now, before, taken, limit }: Bounds): Step<readonly Found[]> {
  return yield* all<Found>(sql`
    WITH going AS (
      SELECT k.repository_id, k.blob_id, 1 AS links, 0 AS manifests,
        CASE WHEN k.unreferenced_since IS NULL AND NOT EXISTS (SELECT 1 FROM manifest_refs AS needed
          WHERE needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live)
        THEN 'never needed' ELSE 'no longer needed' END AS reason
      FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
      WHERE k.lease_until <= ${now}
        AND (k.unreferenced_since IS NULL OR k.unreferenced_since <= ${before})
        AND NOT EXISTS (SELECT 1 FROM manifest_refs AS needed
          WHERE needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live
            AND needed.manifest_id NOT IN ${taken})
      UNION ALL
      SELECT k.repository_id, k.blob_id, 1, 0, 'no longer needed'
      FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
      WHERE k.lease_until IS NULL AND k.unreferenced_since <= ${before}
        AND NOT EXISTS (SELECT 1 FROM manifest_refs AS needed
          WHERE needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live
            AND needed.manifest_id NOT IN ${taken})
      UNION ALL
      SELECT own.repository_id, own.blob_id, 1, 0, 'no longer needed'
      FROM (
        SELECT DISTINCT k.repository_id, k.digest, k.blob_id
        FROM manifest_refs AS named JOIN repository_blobs AS k
          ON k.repository_id = named.repository_id AND k.digest = named.digest
        WHERE named.manifest_id IN ${taken} AND k.lease_until IS NULL AND k.unreferenced_since IS NULL
          AND NOT EXISTS (SELECT 1 FROM manifest_refs AS needed
            WHERE needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live
              AND needed.manifest_id NOT IN ${taken})) AS own
      UNION ALL
      SELECT m.repository_id, m.blob_id, 0, 1, 'manifest deleted'
      FROM manifests AS m JOIN live_repositories AS r ON r.id = m.repository_id
      WHERE m.deleted_at <= ${before}
      UNION ALL
      SELECT m.repository_id, m.blob_id, 0, 1, 'subject deleted' FROM manifests AS m WHERE m.id IN ${taken}
      UNION ALL
      SELECT k.repository_id, k.blob_id, 1, 0, 'repository deleted'
      FROM repositories AS r JOIN repository_blobs AS k ON k.repository_id = r.id
      WHERE r.deleted_at IS NOT NULL AND r.emptied_at IS NULL
      UNION ALL
      SELECT m.repository_id, m.blob_id, 0, 1, 'repository deleted'
      FROM repositories AS r JOIN manifests AS m ON m.repository_id = r.id
      WHERE r.deleted_at IS NOT NULL AND r.emptied_at IS NULL
    ), touched AS (
      SELECT blob_id, sum(links) AS links, sum(manifests) AS manifests FROM (
        SELECT blob_id, links, manifests FROM going
        UNION ALL
        SELECT blob_id, 0, 0 FROM blob_candidates) AS losing
      GROUP BY blob_id
    )
    SELECT NULL AS repository, NULL AS reason, COALESCE(sum(t.manifests), 0) AS manifests,
      COALESCE(sum(t.links), 0) AS links, COALESCE(sum(t.goes), 0) AS blobs,
      COALESCE(sum(t.goes * t.size * t.copies), 0) AS bytes
    FROM (
      SELECT touched.links, touched.manifests, b.size,
        (SELECT count(*) FROM blob_locations AS l WHERE l.blob_id = b.id) AS copies,
        CASE WHEN touched.links = (SELECT count(*) FROM repository_blobs AS k WHERE k.blob_id = b.id)
              AND touched.manifests = (SELECT count(*) FROM manifests AS m WHERE m.blob_id = b.id)
             THEN 1 ELSE 0 END AS goes
      FROM touched JOIN blobs AS b ON b.id = touched.blob_id) AS t
    UNION ALL
    SELECT * FROM (
      SELECT r.name, going.reason, sum(going.manifests), sum(going.links), 0, sum(b.size)
      FROM going JOIN repositories AS r ON r.id = going.repository_id JOIN blobs AS b ON b.id = going.blob_id
      GROUP BY r.name, going.reason ORDER BY sum(b.size) DESC, r.name, going.reason LIMIT ${limit + 1}) AS content`)
}

function contentOf({ repository, reason, manifests, links, bytes }: Found): CollectableContent[] {
  if (repository === null) return []
  return [{ repository, reason, manifests: Number(manifests), links: Number(links), bytes: Number(bytes) }]
}
