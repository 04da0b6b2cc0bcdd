import type {
  Milliseconds,
  Page,
  PageRequest,
  RepositoryFacts,
  TagRecord,
  Visibility,
} from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, sortedBy, startAfter } from './page.ts'

interface Found {
  id: string
  visibility: Visibility
  listed: unknown
  /** Null in the only row of a repository that has no more tags. */
  tag: Tag | null
  digest: Digest
  media_type: string
  size: number
  updated_at: Milliseconds
}

/** See `MetadataStore.listTags`. */
export function* listTags(
  sql: Sql,
  name: RepositoryName,
  page: PageRequest<string>,
): Step<{ repository: RepositoryFacts; page: Page<TagRecord> } | null> {
  const rows = yield* all<Found>(sql`
    SELECT r.id, r.visibility, r.listed, page.name AS tag, m.digest, m.media_type, m.size, page.updated_at
    FROM live_repositories AS r
    LEFT JOIN (
      SELECT name, manifest_id, updated_at FROM tags
      WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND name > ${startAfter(page)}
      ORDER BY name LIMIT ${rowsFor(page)}) AS page ON TRUE
    LEFT JOIN live_manifests AS m ON m.id = page.manifest_id
    WHERE r.name = ${name}`)
  const [head] = rows
  if (head === undefined || !head.listed) return null
  return {
    repository: { id: head.id, name, visibility: head.visibility },
    page: pageOf(head.tag === null ? [] : sortedBy(rows, ({ tag }) => tag ?? ''), page, (row) => ({
      tag: row.tag as Tag,
      digest: row.digest,
      mediaType: row.media_type,
      size: row.size,
      updatedAt: row.updated_at,
    })),
  }
}
