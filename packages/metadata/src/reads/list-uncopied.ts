import type { UncopiedBlob } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { Digest, RepositoryName } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  sha256: Digest
  size: number
  cid: Cid
  lacks: unknown
}

/** See `PlacementStore.listUncopied`. */
export function* listUncopied(
  sql: Sql,
  input: { backend: string; open: boolean; after: number; limit: number },
): Step<{ items: UncopiedBlob[]; position: number; more: boolean }> {
  const { backend, open, after, limit } = input
  const rows = yield* all<Found>(sql`
    SELECT b.id, b.sha256, b.size, b.cid,
      (EXISTS (SELECT 1 FROM good_locations AS l WHERE l.blob_id = b.id AND l.key IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM good_locations AS l
          WHERE l.blob_id = b.id AND l.backend = ${backend})) AS lacks
    FROM blobs AS b WHERE b.id > ${after} ORDER BY b.id LIMIT ${limit}`)
  const lacking = rows.filter(({ lacks }) => Boolean(lacks))
  const owners = yield* ownersOf(sql, lacking, open)
  const items = lacking.flatMap(({ id: blobId, sha256, size, cid }) => {
    const repository = owners.get(blobId)
    return repository === undefined ? [] : [{ blobId, sha256, size, cid, repository }]
  })
  return { items, position: rows.at(-1)?.id ?? after, more: rows.length === limit }
}

/** For each blob a repository that has it, and may have it in such a backend. */
function* ownersOf(
  sql: Sql,
  blobs: readonly Found[],
  open: boolean,
): Step<Map<number, UncopiedBlob['repository']>> {
  if (blobs.length === 0) return new Map()
  const ids = sql.integers(blobs.map(({ id }) => id))
  const owned = yield* all<{ id: number; repository_id: string | null }>(sql`
    SELECT b.id, (
      SELECT k.repository_id FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
      WHERE k.blob_id = b.id AND (NOT ${open} OR (r.visibility = 'public' AND NOT r.confined)) LIMIT 1
    ) AS repository_id
    FROM blobs AS b WHERE b.id IN ${ids}`)
  const repositories = [...new Set(owned.flatMap(({ repository_id: id }) => (id === null ? [] : [id])))]
  const named = yield* all<{ id: string; name: RepositoryName }>(sql`
    SELECT id, name FROM repositories WHERE id IN ${sql.texts(repositories)}`)
  const names = new Map(named.map(({ id, name }) => [id, { id, name }]))
  const owners = new Map<number, UncopiedBlob['repository']>()
  for (const { id, repository_id } of owned) {
    const owner = repository_id === null ? undefined : names.get(repository_id)
    if (owner !== undefined) owners.set(id, owner)
  }
  return owners
}
