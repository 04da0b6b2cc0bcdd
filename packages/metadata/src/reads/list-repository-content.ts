import type { Page, PageRequest } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { all, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

interface Found {
  /** Null when the repository has none. */
  digest: Digest | null
  blob_id: number
}

/** See `ScrubStore.listRepositoryContent`. */
export function* listRepositoryContent(
  sql: Sql,
  name: RepositoryName,
  kind: 'blobs' | 'manifests',
  page: PageRequest<string>,
): Step<Page<{ digest: Digest; blobId: number }> | null> {
  const rows = yield* all<Found>(kind === 'blobs' ? blobs(sql, name, page) : manifests(sql, name, page))
  if (rows.length === 0) return null
  const found = rows.filter((row): row is Found & { digest: Digest } => row.digest !== null)
  return pageOf(found, page, (row) => ({ digest: row.digest, blobId: row.blob_id }))
}

function blobs(sql: Sql, name: RepositoryName, page: PageRequest<string>): Query {
  return sql`
    SELECT k.digest, k.blob_id FROM live_repositories AS r
    LEFT JOIN live_links AS k ON k.repository_id = r.id AND k.digest > ${startAfter(page)}
    WHERE r.name = ${name} ORDER BY k.digest LIMIT ${rowsFor(page)}`
}

function manifests(sql: Sql, name: RepositoryName, page: PageRequest<string>): Query {
  return sql`
    SELECT m.digest, m.blob_id FROM live_repositories AS r
    LEFT JOIN live_manifests AS m ON m.repository_id = r.id AND m.digest > ${startAfter(page)}
    WHERE r.name = ${name} ORDER BY m.digest LIMIT ${rowsFor(page)}`
}
