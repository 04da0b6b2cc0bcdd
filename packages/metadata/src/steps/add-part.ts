import type { AddPart } from '@openregistry/core'
import { deleteLater, refuseSession } from '../rows/session.ts'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.addPart`. A part without bytes moves the expiry alone; its object, if there is one, is to be deleted. */
export function* addPart(sql: Sql, { upload, part, lifetime }: AddPart): Step<number> {
  const moved = yield* first<{ received: number; backend: string }>(sql`
    UPDATE uploads SET received = received + ${part.size}, expires_at = ${sql.now} + ${lifetime}
    WHERE id = ${upload} AND received = ${part.offset} AND ended_at IS NULL AND expires_at > ${sql.now}
      AND EXISTS (SELECT 1 FROM live_repositories AS r WHERE r.id = uploads.repository_id)
    RETURNING received, backend`)
  if (moved === null) throw yield* refuseSession(sql, upload)
  const { stored, hashes } = part
  const key = stored.kind === 'object' ? stored.key : null
  if (part.size > 0) {
    yield* run(sql`
      INSERT INTO upload_parts (upload_id, start, size, key, sha256, sha512, leaves, bytes)
      VALUES (${upload}, ${part.offset}, ${part.size}, ${key}, ${hashes?.sha256 ?? null},
        ${hashes?.sha512 ?? null}, ${hashes?.leaves ?? null}, ${stored.kind === 'inline' ? stored.bytes : null})`)
  } else if (key !== null) {
    yield* deleteLater(sql, moved.backend, key)
  }
  return moved.received
}
