import type { Page, PageRequest, ReferrerRecord, RepositoryFacts, Visibility } from '@openregistry/core'
import type { Annotations, Digest, RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, sortedBy, startAfter } from './page.ts'

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
        SELECT r.id, r.visibility, page.digest, page.media_type, page.size, page.artifact_type, page.annotations
        FROM live_repositories AS r
        LEFT JOIN (
          SELECT digest, media_type, size, artifact_type, annotations FROM live_manifests
          WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name})
            AND subject = ${subject} AND digest > ${startAfter(page)}
          ORDER BY digest LIMIT ${rowsFor(page)}) AS page ON TRUE
        WHERE r.name = ${name}`
      : sql`
        SELECT r.id, r.visibility, page.digest, page.media_type, page.size, page.artifact_type, page.annotations
        FROM live_repositories AS r
        LEFT JOIN (
          SELECT digest, media_type, size, artifact_type, annotations FROM live_manifests
          WHERE repository_id = (SELECT id FROM live_repositories WHERE name = ${name})
            AND subject = ${subject} AND artifact_type = ${artifactType} AND digest > ${startAfter(page)}
          ORDER BY digest LIMIT ${rowsFor(page)}) AS page ON TRUE
        WHERE r.name = ${name}`,
  )
  const [head] = rows
  if (head === undefined) return null
  return {
    repository: { id: head.id, name, visibility: head.visibility },
    page: pageOf(head.digest === null ? [] : sortedBy(rows, ({ digest }) => digest ?? ''), page, (row) => ({
      digest: row.digest as Digest,
      mediaType: row.media_type,
      size: row.size,
      artifactType: row.artifact_type,
      annotations: row.annotations === null ? null : (JSON.parse(row.annotations) as Annotations),
    })),
  }
}
