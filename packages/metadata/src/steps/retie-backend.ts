import type { BackendTie } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `BackendTies.retieBackend`. */
export function* retieBackend(sql: Sql, { backend, identity }: BackendTie): Step<void> {
  yield* run(sql`
    INSERT INTO backend_identities (backend, identity, tied_at) VALUES (${backend}, ${identity}, ${sql.now})
    ON CONFLICT (backend) DO UPDATE SET identity = excluded.identity, tied_at = excluded.tied_at`)
}
