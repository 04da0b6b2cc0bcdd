import type { StorageKey, StoredPlace } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import type { HeldBlob } from './blob.ts'
import { addCandidates } from './collected.ts'
import { deleteLater } from './session.ts'

/** The backend of bytes that are in the database itself. */
export const inlineBackend = 'inline'

/** Where the bytes of a row of `blob_locations` are. */
export function placeOf({ backend, key }: { backend: string; key: StorageKey | null }): StoredPlace {
  return key === null ? { kind: 'inline' } : { kind: 'object', backend, key }
}

/** Where new bytes of a blob are. */
export type NewBytes = { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; key: StorageKey }

/**
 * Notes that good bytes of a blob are here. One object for each blob and backend is enough: where a good one is already,
 * the new one is to be deleted; a damaged or missing one is replaced, and is to be deleted itself: the collector looks then
 * whether other places are needed that were kept for want of this one. Bytes in the row are compared, so that damage to
 * them which nobody has noticed yet is mended, too.
 */
export function* ensureLocation(sql: Sql, blob: HeldBlob, backend: string, stored: NewBytes): Step<void> {
  const place = stored.kind === 'inline' ? inlineBackend : backend
  const key = stored.kind === 'inline' ? null : stored.key
  const bytes = stored.kind === 'inline' ? stored.bytes : null
  if (!blob.created) {
    const found = yield* useLocation(sql, blob.id, place, { key, bytes })
    if (found) return
  }
  const created = yield* first(sql`
    INSERT INTO blob_locations (blob_id, backend, key, state, verified_at, bytes)
    VALUES (${blob.id}, ${place}, ${key}, 'good', ${sql.now}, ${bytes})
    ON CONFLICT (blob_id, backend) DO NOTHING
    RETURNING id`)
  // Somebody else wrote one between the two queries.
  if (created === null) yield* ensureLocation(sql, { id: blob.id, created: false }, backend, stored)
}

/** Keeps the location that there is, or puts the new bytes in its place. @returns whether there is one. */
function* useLocation(
  sql: Sql,
  blobId: number,
  place: string,
  { key, bytes }: { key: StorageKey | null; bytes: Uint8Array | null },
): Step<boolean> {
  // The blob is held, so a good location stays; many who push the same content need not wait for each other.
  const good = yield* first<{ key: string | null; differs: unknown }>(sql`
    SELECT key, bytes <> ${bytes} AS differs FROM good_locations WHERE blob_id = ${blobId} AND backend = ${place}`)
  if (good !== null && !good.differs) {
    if (key !== null && key !== good.key) yield* deleteLater(sql, place, key)
    return true
  }
  const found = yield* first<{ id: number; state: string; key: string | null; differs: unknown }>(sql`
    SELECT id, state, key, bytes <> ${bytes} AS differs FROM blob_locations
    WHERE blob_id = ${blobId} AND backend = ${place} ${sql.lock('FOR NO KEY UPDATE')}`)
  if (found === null) return false
  if (found.state !== 'good' || Boolean(found.differs)) {
    if (found.key !== null) yield* deleteLater(sql, place, found.key)
    yield* addCandidates(sql, [blobId])
    yield* run(sql`
      UPDATE blob_locations SET key = ${key}, bytes = ${bytes}, state = 'good', verified_at = ${sql.now},
        claim = NULL, claimed_until = NULL
      WHERE id = ${found.id}`)
  } else if (key !== null && key !== found.key) {
    yield* deleteLater(sql, place, key)
  }
  return true
}
