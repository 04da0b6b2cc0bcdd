import type { Milliseconds, Visibility } from '@openregistry/core'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { linkBlob, lockLinks } from '../rows/link.ts'
import { ensureRepository } from '../rows/repository.ts'
import { first, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** What `mountBlob` needs. */
interface MountBlob {
  source: string
  target: RepositoryName
  defaultVisibility: Visibility
  digest: Digest
  lease: Milliseconds
}

/**
 * See `MetadataStore.mountBlob`. The target's link is locked before the blob, the one order for all steps. When the source
 * goes in this very moment, the target may have been created, and holds nothing.
 */
export function* mountBlob(sql: Sql, input: MountBlob): Step<boolean> {
  if ((yield* first(sourceOf(sql, input))) === null) return false
  const target = yield* ensureRepository(sql, input.target, input.defaultVisibility)
  yield* lockLinks(sql, target.id, [input.digest])
  const source = yield* first<{ id: number }>(
    sql`SELECT b.id FROM live_links AS k
    JOIN live_repositories AS r ON r.id = k.repository_id
    JOIN blobs AS b ON b.id = k.blob_id
    WHERE k.repository_id = ${input.source} AND k.digest = ${input.digest}
      AND EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = k.blob_id)
    ${sql.lock('FOR KEY SHARE')}`,
  )
  if (source === null) return false
  yield* linkBlob(sql, target, input.digest, source.id, input.lease)
  return true
}

/** Whether the source has it, without a lock. */
function sourceOf(sql: Sql, { source, digest }: MountBlob): Query {
  return sql`
    SELECT k.blob_id FROM live_links AS k
    JOIN live_repositories AS r ON r.id = k.repository_id
    WHERE k.repository_id = ${source} AND k.digest = ${digest}
      AND EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = k.blob_id)`
}
