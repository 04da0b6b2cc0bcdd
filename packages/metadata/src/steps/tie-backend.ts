import type { BackendIdentity, BackendTie } from '@openregistry/core'
import { findBackendIdentity } from '../reads/find-backend-identity.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `BackendTies.tieBackend`. Of several at once the first one wins, and the others are told. */
export function* tieBackend(sql: Sql, { backend, identity }: BackendTie): Step<BackendIdentity> {
  yield* run(sql`
    INSERT INTO backend_identities (backend, identity, tied_at) VALUES (${backend}, ${identity}, ${sql.now})
    ON CONFLICT (backend) DO NOTHING`)
  return (yield* findBackendIdentity(sql, backend)) ?? identity
}
