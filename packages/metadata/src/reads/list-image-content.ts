import type { Digest } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** How many manifests are followed to, from all that were asked for. */
const manifestsAtMost = 5000

/** What one manifest names. */
interface Named {
  blobs: Digest[]
  children: Digest[]
}

/** See `PlacementStore.listImageContent`. */
export function* listImageContent(
  sql: Sql,
  repositoryId: string,
  manifests: readonly Digest[],
): Step<{ manifest: Digest; blobs: Digest[] }[]> {
  const known = new Map<Digest, Named>()
  let level = [...new Set(manifests)]
  while (level.length > 0 && known.size < manifestsAtMost) {
    const found = yield* readLevel(sql, repositoryId, level.slice(0, manifestsAtMost - known.size))
    for (const [digest, named] of found) known.set(digest, named)
    const children = [...found.values()].flatMap((named) => named.children)
    level = [...new Set(children)].filter((digest) => !known.has(digest))
  }
  return manifests.map((manifest) => ({ manifest, blobs: blobsUnder(manifest, known) }))
}

function* readLevel(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<Map<Digest, Named>> {
  const rows = yield* all<{ manifest: Digest; digest: Digest; kind: string }>(sql`
    SELECT m.digest AS manifest, f.digest, f.kind
    FROM live_manifests AS m JOIN manifest_refs AS f ON f.manifest_id = m.id
    WHERE m.repository_id = ${repositoryId} AND m.digest IN ${sql.texts(digests)}`)
  const level = new Map<Digest, Named>(digests.map((digest) => [digest, { blobs: [], children: [] }]))
  for (const { manifest, digest, kind } of rows) {
    const named = level.get(manifest)
    if (kind === 'blob') named?.blobs.push(digest)
    else if (kind === 'manifest') named?.children.push(digest)
  }
  return level
}

/** Everything below a manifest, each once: trees may have cycles. */
function blobsUnder(root: Digest, known: ReadonlyMap<Digest, Named>): Digest[] {
  const blobs = new Set<Digest>()
  const seen = new Set([root])
  // A set that grows while it is gone through gives what was added, too.
  for (const digest of seen) {
    const named = known.get(digest)
    for (const blob of named?.blobs ?? []) blobs.add(blob)
    for (const child of named?.children ?? []) seen.add(child)
  }
  return [...blobs]
}
