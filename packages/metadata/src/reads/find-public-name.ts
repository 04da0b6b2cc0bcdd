import type { PublicName, RepositoryFacts } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found extends RepositoryFacts {
  named_root: Uint8Array
  sequence: number
  valid_until: number
  now: number
}

/** See `IpfsStore.findPublicName`. The repository has the last word. */
export function* findPublicName(sql: Sql, publicKey: Uint8Array): Step<PublicName | null> {
  const row = yield* first<Found>(sql`
    SELECT r.id, r.name, r.visibility, d.named_root, d.sequence, d.valid_until, ${sql.now} AS now
    FROM directories AS d
    JOIN repositories AS r ON r.id = d.repository_id AND r.deleted_at IS NULL AND r.visibility = 'public'
    WHERE d.public_key = ${publicKey} AND d.named_root IS NOT NULL AND d.valid_until > ${sql.now}`)
  return (
    row && {
      repository: { id: row.id, name: row.name, visibility: row.visibility },
      ...{ root: row.named_root, sequence: row.sequence, validUntil: row.valid_until, now: row.now },
    }
  )
}
