import type { Page, PageRequest, RepositoryFacts, TaggedLayout, Visibility } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { layoutOf, type LayoutColumns } from '../rows/layout.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, sortedBy, startAfter } from './page.ts'

interface Found extends LayoutColumns {
  id: string
  visibility: Visibility
  /** Null in the only row of a repository that has no more tags. */
  tag: Tag | null
  digest: Digest
}

/** See `IpfsStore.listTaggedLayouts`. */
export function* listTaggedLayouts(
  sql: Sql,
  name: RepositoryName,
  page: PageRequest<string>,
): Step<{ repository: RepositoryFacts; page: Page<TaggedLayout> } | null> {
  const rows = yield* all<Found>(sql`
    SELECT r.id, r.visibility, page.name AS tag, m.digest, y.root, y.size AS layout_size, y.stored, ${sql.now} - y.computed_at AS age
    FROM live_repositories AS r
    LEFT JOIN (
      SELECT name, manifest_id FROM tags
      WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name}) AND name > ${startAfter(page)}
      ORDER BY name LIMIT ${rowsFor(page)}) AS page ON TRUE
    LEFT JOIN live_manifests AS m ON m.id = page.manifest_id
    LEFT JOIN layouts AS y ON y.manifest_id = page.manifest_id
    WHERE r.name = ${name}`)
  const [head] = rows
  if (head === undefined) return null
  return {
    repository: { id: head.id, name, visibility: head.visibility },
    page: pageOf(head.tag === null ? [] : sortedBy(rows, ({ tag }) => tag ?? ''), page, (row) => ({
      tag: row.tag as Tag,
      digest: row.digest,
      layout: layoutOf(row),
    })),
  }
}
