import type {
  Milliseconds,
  Page,
  PageRequest,
  RepositoryFacts,
  TagChange,
  Visibility,
} from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, sortedBy } from './page.ts'

interface Found {
  repository_id: string
  visibility: Visibility
  present: unknown
  /** Null in the only row of a repository that has no more changes. */
  id: number | null
  tag: Tag
  from_digest: Digest | null
  to_digest: Digest | null
  changed_by: string
  changed_at: Milliseconds
  /** Of the row of the manifest; null when it is gone. */
  manifest_id: number | null
  deleted_at: Milliseconds | null
}

/** See `HistoryStore.listTagHistory`. */
export function* listTagHistory(
  sql: Sql,
  name: RepositoryName,
  tag: Tag | null,
  page: PageRequest<number>,
): Step<{ repository: RepositoryFacts; present: boolean; page: Page<TagChange> } | null> {
  const below = page.after ?? Number.MAX_SAFE_INTEGER
  const rows = yield* all<Found>(
    tag === null
      ? sql`
        SELECT r.id AS repository_id, r.visibility, TRUE AS present, page.id, page.tag, page.from_digest, page.to_digest,
          page.changed_by, page.changed_at, m.id AS manifest_id, m.deleted_at
        FROM live_repositories AS r
        LEFT JOIN (
          SELECT * FROM tag_history
          WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND id < ${below}
          ORDER BY id DESC LIMIT ${rowsFor(page)}) AS page ON TRUE
        LEFT JOIN manifests AS m ON m.repository_id = r.id AND m.digest = COALESCE(page.to_digest, page.from_digest)
        WHERE r.name = ${name}`
      : sql`
        SELECT r.id AS repository_id, r.visibility,
          EXISTS (SELECT 1 FROM tags AS t WHERE t.repository_id = r.id AND t.name = ${tag}) AS present,
          page.id, page.tag, page.from_digest, page.to_digest, page.changed_by, page.changed_at, m.id AS manifest_id, m.deleted_at
        FROM live_repositories AS r
        LEFT JOIN (
          SELECT * FROM tag_history
          WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND tag = ${tag}
            AND id < ${below}
          ORDER BY id DESC LIMIT ${rowsFor(page)}) AS page ON TRUE
        LEFT JOIN manifests AS m ON m.repository_id = r.id AND m.digest = COALESCE(page.to_digest, page.from_digest)
        WHERE r.name = ${name}`,
  )
  const [head] = rows
  if (head === undefined) return null
  return {
    repository: { id: head.repository_id, name, visibility: head.visibility },
    present: Boolean(head.present),
    page: pageOf(head.id === null ? [] : sortedBy(rows, ({ id }) => -(id ?? 0)), page, changeOf),
  }
}

function changeOf(row: Found): TagChange {
  return {
    id: row.id as number,
    tag: row.tag,
    from: row.from_digest,
    to: row.to_digest,
    changedBy: row.changed_by,
    changedAt: row.changed_at,
    manifest: row.manifest_id === null ? 'gone' : row.deleted_at === null ? 'live' : 'deleted',
    deletedAt: row.deleted_at,
  }
}
