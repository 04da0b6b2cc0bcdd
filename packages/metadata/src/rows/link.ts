import type { Milliseconds } from '@openregistry/core'
import { namespaceOf, type Digest } from '@openregistry/oci'
import { all, first, run, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { addCandidates } from './collected.ts'
import type { RepositoryRow } from './repository.ts'

/** A link as it is to be. */
interface NewLink {
  digest: Digest
  blobId: number
  /** Where its repository has the bytes. */
  backend: string
  /** Whether the repository sent them, and did not mount them. */
  arrived: boolean
  lease: Milliseconds
}

/** The backends that links relied on when they were locked, by digest. */
export type FormerBackends = ReadonlyMap<Digest, string>

/**
 * Lets a repository read a blob. The link is safe for `lease` at least; one that manifests need (neither lease nor
 * `unreferenced_since`) needs none, and a hidden one comes back. The location that it relied on before may be unneeded then.
 *
 * Whether the repository is private is asked anew, after it was locked: whoever sees the old answer holds the lock which
 * {@link endSettling} has to get before it believes that all rows are there.
 *
 * @throws TryAgain when no good bytes are in this backend: whoever chose it read that before the blob was locked.
 */
export function* linkBlob(
  sql: Sql,
  repository: Pick<RepositoryRow, 'id' | 'name'>,
  { digest, blobId, backend, arrived, lease }: NewLink,
  before: FormerBackends,
): Step<void> {
  const linked = yield* first<{ good: unknown }>(sql`
    INSERT INTO repository_blobs
      (repository_id, digest, blob_id, namespace, backend, arrived_at, lease_until, known_private)
    VALUES (${repository.id}, ${digest}, ${blobId}, ${namespaceOf(repository.name)}, ${backend},
      CASE WHEN ${arrived} THEN ${sql.now} END, ${sql.now} + ${lease},
      (SELECT r.visibility = 'private' FROM repositories AS r WHERE r.id = ${repository.id}))
    ON CONFLICT (repository_id, digest) DO UPDATE SET
      hidden_at = NULL,
      backend = excluded.backend,
      arrived_at = COALESCE(excluded.arrived_at, repository_blobs.arrived_at),
      lease_until = CASE
        WHEN repository_blobs.lease_until IS NULL AND repository_blobs.unreferenced_since IS NULL THEN NULL
        WHEN repository_blobs.lease_until > excluded.lease_until THEN repository_blobs.lease_until
        ELSE excluded.lease_until
      END
    WHERE repository_blobs.hidden_at IS NOT NULL
      OR repository_blobs.backend <> excluded.backend
      OR repository_blobs.lease_until IS NOT NULL
      OR repository_blobs.unreferenced_since IS NOT NULL
    RETURNING EXISTS (
      SELECT 1 FROM good_locations AS l
      WHERE l.blob_id = repository_blobs.blob_id AND l.backend = repository_blobs.backend) AS good`)
  // No row: the link was that already, and keeps the bytes.
  if (linked !== null && !linked.good) throw new TryAgain()
  if ((before.get(digest) ?? backend) !== backend) yield* addCandidates(sql, [blobId])
}

/**
 * Locks links in the order of their digests, the one order for all steps, so that two of them never wait for each other.
 */
export function* lockLinks(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<FormerBackends> {
  if (digests.length === 0) return new Map()
  const links = yield* all<{ digest: Digest; backend: string }>(sql`
    SELECT digest, backend FROM repository_blobs
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}
    ORDER BY digest ${sql.lock('FOR NO KEY UPDATE')}`)
  return new Map(links.map(({ digest, backend }) => [digest, backend]))
}

interface LockedLink {
  digest: string
  backend: string
  pending: unknown
  good: unknown
  confined: unknown
}

/** What {@link lockGoodLinks} has found. */
export interface LockedLinks {
  good: ReadonlySet<string>
  pending: boolean
  backends: ReadonlySet<string>
  confined: boolean
}

/**
 * Locks the links that can be read, in the same order.
 * @returns `good`: digests of those with good bytes; `pending`: whether one of all has a lease or is unreferenced;
 * `backends`: those that they rely on; `confined`: whether these may not be public ones, if the repository was joined before.
 */
export function* lockGoodLinks(
  sql: Sql,
  repositoryId: string,
  digests: readonly Digest[],
): Step<LockedLinks> {
  const linked = yield* all<LockedLink>(sql`
    SELECT digest, backend, (lease_until IS NOT NULL OR unreferenced_since IS NOT NULL) AS pending,
      EXISTS (SELECT 1 FROM good_locations WHERE blob_id = live_links.blob_id) AS good,
      (SELECT r.visibility <> 'public' OR r.confined FROM repositories AS r
        WHERE r.id = live_links.repository_id) AS confined
    FROM live_links WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}
    ORDER BY digest ${sql.lock('FOR NO KEY UPDATE')}`)
  return {
    good: new Set(linked.filter((link) => Boolean(link.good)).map((link) => link.digest)),
    pending: linked.some((link) => Boolean(link.pending)),
    backends: new Set(linked.map(({ backend }) => backend)),
    confined: linked.some((link) => Boolean(link.confined)),
  }
}

/** Takes links that a live manifest needs from the queue of the collector. They were locked before. */
export function* freeLinks(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<void> {
  yield* run(sql`
    UPDATE repository_blobs SET lease_until = NULL, unreferenced_since = NULL
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)}
      AND (lease_until IS NOT NULL OR unreferenced_since IS NOT NULL)`)
}

/**
 * Starts the time of links that no live manifest of the repository needs any more. They were locked before; this asks in a
 * statement of its own, so that it sees what others did while the lock was waited for.
 */
export function* releaseLinks(sql: Sql, repositoryId: string, digests: readonly Digest[]): Step<void> {
  if (digests.length === 0) return
  yield* run(sql`
    UPDATE repository_blobs SET unreferenced_since = ${sql.now}
    WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(digests)} AND unreferenced_since IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM manifest_refs AS needed
        WHERE needed.repository_id = repository_blobs.repository_id AND needed.digest = repository_blobs.digest
          AND needed.live
      )`)
}
