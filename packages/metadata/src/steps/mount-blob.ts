import type { Milliseconds, PlacedRepository, PlacementRules, Visibility } from '@openregistry/core'
import { backendsFor } from '@openregistry/core/placement'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { linkBlob, lockLinks } from '../rows/link.ts'
import { inlineBackend } from '../rows/location.ts'
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
  rules: PlacementRules
}

/** The source's blob, held, and what decides where the target's content may lie. */
interface Source extends Omit<PlacedRepository, 'name'> {
  id: number
  /** Backends with good bytes. */
  places: string | null
}

/**
 * See `MetadataStore.mountBlob`. The target's link is locked before the blob, the one order for all steps. When the source
 * goes in this very moment, or has the bytes where the target may not have them, the target may have been created, and holds
 * nothing.
 */
export function* mountBlob(sql: Sql, input: MountBlob): Step<boolean> {
  const { digest, lease, rules } = input
  if ((yield* first(sourceOf(sql, input))) === null) return false
  const target = yield* ensureRepository(sql, input.target, input.defaultVisibility)
  const before = yield* lockLinks(sql, target.id, [digest])
  const source = yield* first<Source>(
    sql`SELECT b.id, t.visibility, t.backend, t.confined, (
      SELECT ${sql.joinedNames} FROM (
        SELECT l.backend AS name FROM good_locations AS l WHERE l.blob_id = b.id) AS places
    ) AS places FROM live_links AS k
    JOIN live_repositories AS r ON r.id = k.repository_id
    JOIN blobs AS b ON b.id = k.blob_id
    JOIN repositories AS t ON t.id = ${target.id}
    WHERE k.repository_id = ${input.source} AND k.digest = ${digest}
    ${sql.lock('FOR KEY SHARE')}`,
  )
  if (source === null) return false
  const { id: blobId, visibility, confined } = source
  const allowed = backendsFor(rules, {
    ...target,
    visibility,
    confined: Boolean(confined),
    backend: source.backend,
  })
  // As they were before the blob was locked: `linkBlob` looks again.
  const good = new Set(source.places?.split(' '))
  // Where the target has it already is as good as any other place.
  const choices = [inlineBackend, before.get(digest) ?? inlineBackend, ...allowed]
  const backend = choices.find((one) => good.has(one) && (one === inlineBackend || allowed.includes(one)))
  if (backend === undefined) return false
  yield* linkBlob(sql, target, { digest, blobId, backend, arrived: false, lease }, before)
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
