import type { BackendIdentity } from '@openregistry/core'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `BackendTies.findBackendIdentity`. */
export function* findBackendIdentity(sql: Sql, backend: string): Step<BackendIdentity | null> {
  const row = yield* first<{ identity: BackendIdentity }>(sql`
    SELECT identity FROM backend_identities WHERE backend = ${backend}`)
  return row?.identity ?? null
}
