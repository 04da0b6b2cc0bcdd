import type { StorageKey, UploadId, UploadPart } from '@openregistry/core'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  start: number
  size: number
  key: StorageKey | null
  sha256: Uint8Array | null
  sha512: Uint8Array | null
  leaves: Uint8Array | null
  bytes: Uint8Array | null
}

/** See `MetadataStore.listParts`. */
export function* listParts(
  sql: Sql,
  id: UploadId,
  { from = 0, limit = 1000 }: { from?: number; limit?: number } = {},
): Step<UploadPart[]> {
  const rows = yield* all<Found>(sql`
    SELECT p.start, p.size, p.key, p.sha256, p.sha512, p.leaves, p.bytes
    FROM uploads AS u JOIN upload_parts AS p ON p.upload_id = u.id
    WHERE u.id = ${id} AND u.ended_at IS NULL AND u.expires_at > ${sql.now} AND p.start >= ${from}
    ORDER BY p.start LIMIT ${limit}`)
  return rows.map((row) => ({
    offset: row.start,
    size: row.size,
    stored: storedOf(row),
    hashes:
      row.sha256 === null || row.leaves === null
        ? null
        : { size: row.size, sha256: row.sha256, sha512: row.sha512, leaves: row.leaves },
  }))
}

function storedOf({ key, bytes }: Found): UploadPart['stored'] {
  return key === null ? { kind: 'inline', bytes: bytes ?? new Uint8Array(0) } : { kind: 'object', key }
}
