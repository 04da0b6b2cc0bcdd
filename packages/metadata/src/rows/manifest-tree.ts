import type { ManifestReference, Milliseconds } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** A manifest of a tree, deleted or not. */
export interface TreeManifest {
  id: number
  digest: Digest
  deletedAt: Milliseconds | null
  /** Whether its own bytes are good. */
  readable: boolean
  references: readonly ManifestReference[]
}

/**
 * How many manifests a tree is followed to. Indexes name a few dozen; what names more is looked at level by level up to
 * here, so that no tree, however it was made, holds the database up.
 */
const largestTree = 1000

/** A manifest and everything that it names, level by level, each once: trees may have cycles. Takes no locks. */
export function* readManifestTree(
  sql: Sql,
  repositoryId: string,
  root: Digest,
): Step<Map<Digest, TreeManifest>> {
  const tree = new Map<Digest, TreeManifest>()
  let level: Digest[] = [root]
  while (level.length > 0 && tree.size < largestTree) {
    const found = yield* readLevel(sql, repositoryId, level.slice(0, largestTree - tree.size))
    for (const manifest of found) tree.set(manifest.digest, manifest)
    const children = found.flatMap(childrenOf).filter((digest) => !tree.has(digest))
    level = [...new Set(children)]
  }
  return tree
}

/** The manifests that an index names. */
export function childrenOf({ references }: Pick<TreeManifest, 'references'>): Digest[] {
  return references.filter(({ kind }) => kind === 'manifest').map(({ digest }) => digest)
}

function* readLevel(
  sql: Sql,
  repositoryId: string,
  digests: readonly Digest[],
): Step<readonly TreeManifest[]> {
  const manifests = yield* all<{
    id: number
    digest: Digest
    deleted_at: number | null
    readable: unknown
  }>(sql`
    SELECT m.id, m.digest, m.deleted_at,
      EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = m.blob_id) AS readable
    FROM manifests AS m WHERE m.repository_id = ${repositoryId} AND m.digest IN ${sql.texts(digests)}`)
  const references = yield* all<ManifestReference & { manifest_id: number }>(sql`
    SELECT manifest_id, digest, kind FROM manifest_refs
    WHERE manifest_id IN ${sql.integers(manifests.map(({ id }) => id))}`)
  const byManifest = Map.groupBy(references, (reference) => reference.manifest_id)
  return manifests.map((row) => ({
    id: row.id,
    digest: row.digest,
    deletedAt: row.deleted_at,
    readable: Boolean(row.readable),
    references: byManifest.get(row.id) ?? [],
  }))
}
