import type { CollectionStep, CollectLimits } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { collected, deleteManifestRows } from '../rows/collected.ts'
import { retireManifests } from '../rows/retired-manifest.ts'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { deleteUnneeded } from './collect-blobs.ts'

interface Purge {
  blobId: number
  principal: string
  limit: number
}

/** See `CollectionSteps.purgeContent`. One kind of row at a time, until only the blob is left. */
export function* purgeContent(
  sql: Sql,
  digest: Digest,
  principal: string,
  { limit }: CollectLimits,
): Step<CollectionStep> {
  // A small secret lies in the database itself.
  if (sql.erasing !== null) yield* run({ text: sql.erasing, values: [] })
  const blob = yield* first<{ id: number }>(sql`
    SELECT id FROM blobs WHERE sha256 = ${digest} OR sha512 = ${digest}`)
  if (blob === null) return collected({})
  const purge: Purge = { blobId: blob.id, principal, limit }
  const retired = yield* retireHolders(sql, purge)
  if (retired > 0) return collected({ more: true })
  const manifests = yield* takeManifests(sql, purge)
  if (manifests > 0) return collected({ manifests, more: true })
  const links = yield* takeLinks(sql, purge)
  if (links.found > 0) return collected({ links: links.taken, more: true })
  const locked = yield* all<{ id: number }>(sql`
    SELECT id FROM blobs WHERE id = ${blob.id} ${sql.lock('FOR UPDATE')}`)
  const { blobs, bytes } = yield* deleteUnneeded(
    sql,
    locked.map(({ id }) => id),
  )
  // Somebody pushed it in between: their link goes in the next turn.
  return collected({ blobs, bytes, more: locked.length > 0 && blobs === 0 })
}

/** Deletes live manifests that are this content, or need it under one of its digests. */
function* retireHolders(sql: Sql, { blobId, principal, limit }: Purge): Step<number> {
  const holders = yield* all<{ repository_id: string; digest: Digest }>(sql`
    SELECT m.repository_id, m.digest FROM live_manifests AS m WHERE m.blob_id = ${blobId}
    UNION ALL
    SELECT m.repository_id, m.digest FROM repository_blobs AS k
    JOIN manifest_refs AS needed
      ON needed.repository_id = k.repository_id AND needed.digest = k.digest AND needed.live
    JOIN live_manifests AS m ON m.id = needed.manifest_id
    WHERE k.blob_id = ${blobId}
    LIMIT ${limit}`)
  const repositories = Map.groupBy(holders, ({ repository_id }) => repository_id)
  // One after the other, in the one order for whoever locks something in several.
  for (const repositoryId of [...repositories.keys()].sort()) {
    // Deleted or not: whoever empties it is waited for here, before anything in it is locked.
    yield* run(sql`SELECT id FROM repositories WHERE id = ${repositoryId} ${sql.lock('FOR KEY SHARE')}`)
    const digests = repositories.get(repositoryId)!.map(({ digest }) => digest)
    yield* retireManifests(sql, { repositoryId, principal }, [...new Set(digests)])
  }
  return holders.length
}

/** Deletes the rows of deleted manifests that are this content: nobody may bring them back. */
function* takeManifests(sql: Sql, { blobId, limit }: Purge): Step<number> {
  const deleted = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE blob_id = ${blobId} AND deleted_at IS NOT NULL
    LIMIT ${limit} ${sql.lock('FOR UPDATE')}`)
  if (deleted.length === 0) return 0
  const { manifests } = yield* deleteManifestRows(
    sql,
    deleted.map(({ id }) => id),
  )
  return manifests
}

function* takeLinks(sql: Sql, { blobId, limit }: Purge): Step<{ found: number; taken: number }> {
  const found = yield* all<{ repository_id: string; digest: Digest }>(sql`
    SELECT repository_id, digest FROM repository_blobs WHERE blob_id = ${blobId}
    LIMIT ${limit} ${sql.lock('FOR UPDATE')}`)
  let taken = 0
  for (const { repository_id, digest } of found) {
    const deleted = yield* all(sql`
      DELETE FROM repository_blobs WHERE repository_id = ${repository_id} AND digest = ${digest}
        AND NOT EXISTS (
          SELECT 1 FROM manifest_refs AS needed JOIN live_repositories AS r ON r.id = needed.repository_id
          WHERE needed.repository_id = repository_blobs.repository_id AND needed.digest = repository_blobs.digest
            AND needed.live)
      RETURNING digest`)
    taken += deleted.length
  }
  return { found: found.length, taken }
}
