import type { Page, PageRequest, ReferrerRecord, RepositoryFacts, Visibility } from '@openregistry/core'
import type { Annotations, Digest, RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

interface Found {
  id: string
  visibility: Visibility
  /** Null in the only row of a repository that has no more referrers. */
  digest: Digest | null
  media_type: string
  size: number
  artifact_type: string | null
  annotations: string | null
}

/** See `MetadataStore.listReferrers`. */
export function* listReferrers(
  sql: Sql,
  name: RepositoryName,
  subject: Digest,
  artifactType: string | null,
  page: PageRequest<string>,
): Step<{ repository: RepositoryFacts; page: Page<ReferrerRecord> } | null> {
  const rows = yield* all<Found>(
    artifactType === null
      ? sql`
        SELECT r.id, r.visibility, m.digest, m.media_type, m.size, m.artifact_type, m.annotations
        FROM live_repositories AS r
        LEFT JOIN live_manifests AS m
          ON m.repository_id = r.id AND m.subject = ${subject} AND m.digest > ${startAfter(page)}
        WHERE r.name = ${name} ORDER BY m.digest LIMIT ${rowsFor(page)}`
      : sql`
        SELECT r.id, r.visibility, m.digest, m.media_type, m.size, m.artifact_type, m.annotations
        FROM live_repositories AS r
        LEFT JOIN live_manifests AS m
          ON m.repository_id = r.id AND m.subject = ${subject} AND m.artifact_type = ${artifactType}
            AND m.digest > ${startAfter(page)}
        WHERE r.name = ${name} ORDER BY m.digest LIMIT ${rowsFor(page)}`,
  )
  const [head] = rows
  if (head === undefined) return null
  return {
    repository: { id: head.id, name, visibility: head.visibility },
    page: pageOf(head.digest === null ? [] : rows, page, (row) => ({
      digest: row.digest as Digest,
      mediaType: row.media_type,
      size: row.size,
      artifactType: row.artifact_type,
      annotations: row.annotations === null ? null : (JSON.parse(row.annotations) as Annotations),
    })),
  }
}
