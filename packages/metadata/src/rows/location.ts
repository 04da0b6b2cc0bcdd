import type { StorageKey } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { deleteLater } from './session.ts'

/** The backend of bytes that are in the database itself. */
export const inlineBackend = 'inline'

/** Where new bytes of a blob are. */
export type NewBytes = { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; key: StorageKey }

/**
 * Notes that good bytes of a blob are here. One object for each blob and backend is enough: where a good one is already,
 * the new one is to be deleted; a damaged or missing one is replaced, and is to be deleted itself.
 */
export function* ensureLocation(sql: Sql, blobId: number, backend: string, stored: NewBytes): Step<void> {
  const place = stored.kind === 'inline' ? inlineBackend : backend
  const key = stored.kind === 'inline' ? null : stored.key
  const bytes = stored.kind === 'inline' ? stored.bytes : null
  // The blob is held, so a good location stays; many who push the same content need not wait for each other.
  const good = yield* first<{ key: string | null }>(sql`
    SELECT key FROM good_locations WHERE blob_id = ${blobId} AND backend = ${place}`)
  if (good !== null) {
    if (key !== null && key !== good.key) yield* deleteLater(sql, place, key)
    return
  }
  const found = yield* first<{ id: number; state: string; key: string | null }>(sql`
    SELECT id, state, key FROM blob_locations
    WHERE blob_id = ${blobId} AND backend = ${place} ${sql.lock('FOR NO KEY UPDATE')}`)
  if (found === null) {
    const created = yield* first(sql`
      INSERT INTO blob_locations (blob_id, backend, key, state, verified_at, bytes)
      VALUES (${blobId}, ${place}, ${key}, 'good', ${sql.now}, ${bytes})
      ON CONFLICT (blob_id, backend) DO NOTHING
      RETURNING id`)
    if (created === null) yield* ensureLocation(sql, blobId, backend, stored)
  } else if (found.state !== 'good') {
    if (found.key !== null) yield* deleteLater(sql, place, found.key)
    yield* run(sql`
      UPDATE blob_locations SET key = ${key}, bytes = ${bytes}, state = 'good', verified_at = ${sql.now}
      WHERE id = ${found.id}`)
  } else if (key !== null && key !== found.key) {
    yield* deleteLater(sql, place, key)
  }
}
