import type { RepositoryName } from '@openregistry/oci'
import { all, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** A repository on whose account a copy of a blob can be made. */
export interface Owner {
  id: string
  name: RepositoryName
}

/**
 * For each blob a repository that has it; `open`: one whose content may lie in public backends. Those that are known to be
 * private cost nothing, however many they are.
 */
export function* ownersOf(sql: Sql, blobIds: readonly number[], open: boolean): Step<Map<number, Owner>> {
  if (blobIds.length === 0) return new Map()
  const owned = yield* all<Owned>(open ? openOwners(sql, blobIds) : anyOwners(sql, blobIds))
  const ids = new Set(owned.flatMap(({ repository_id: id }) => (id === null ? [] : [id])))
  const named = yield* all<Owner>(sql`SELECT id, name FROM repositories WHERE id IN ${sql.texts([...ids])}`)
  const names = new Map(named.map(({ id, name }) => [id, { id, name }]))
  const owners = new Map<number, Owner>()
  for (const { id, repository_id } of owned) {
    const owner = repository_id === null ? undefined : names.get(repository_id)
    if (owner !== undefined) owners.set(id, owner)
  }
  return owners
}

interface Owned {
  id: number
  repository_id: string | null
}

function anyOwners(sql: Sql, blobIds: readonly number[]): Query {
  return sql`
    SELECT b.id, (
      SELECT k.repository_id FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
      WHERE k.blob_id = b.id LIMIT 1
    ) AS repository_id
    FROM blobs AS b WHERE b.id IN ${sql.integers(blobIds)}`
}

function openOwners(sql: Sql, blobIds: readonly number[]): Query {
  return sql`
    SELECT b.id, (
      SELECT k.repository_id FROM repository_blobs AS k JOIN live_repositories AS r ON r.id = k.repository_id
      WHERE k.blob_id = b.id AND k.hidden_at IS NULL AND NOT k.known_private
        AND r.visibility = 'public' AND NOT r.confined LIMIT 1
    ) AS repository_id
    FROM blobs AS b WHERE b.id IN ${sql.integers(blobIds)}`
}
