import type { OpenUpload, UploadSession } from '@openregistry/core'
import { backendFor } from '@openregistry/core/placement'
import { RegistryError } from '@openregistry/oci'
import { ensureRepository } from '../rows/repository.ts'
import { insertSession } from '../rows/session.ts'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.openUpload`. */
export function* openUpload(sql: Sql, input: OpenUpload): Step<UploadSession> {
  const repository = yield* ensureRepository(sql, input.repository, input.defaultVisibility)
  const { id, name, visibility } = repository
  const backend = backendFor(input.rules, repository)
  if (input.limit > 0) yield* requireRoom(sql, id, input.limit)
  const expiresAt = yield* insertSession(sql, repository, { ...input, backend })
  return {
    id: input.id,
    repository: { id, name, visibility },
    principal: input.principal,
    backend,
    algorithm: input.algorithm,
    offset: 0,
    age: 0,
    expiresAt,
  }
}

/** More steps than this do not run at one moment: no server has as many connections. */
const atOnce = 256

/** Refuses one session more than the limit. Near to it, sessions of the repository are opened one after another. */
function* requireRoom(sql: Sql, repositoryId: string, limit: number): Step<void> {
  let open = yield* countOpen(sql, repositoryId, limit)
  if (open < limit - atOnce) return
  yield* run(sql`SELECT id FROM repositories WHERE id = ${repositoryId} ${sql.lock('FOR NO KEY UPDATE')}`)
  open = yield* countOpen(sql, repositoryId, limit)
  if (open < limit) return
  throw new RegistryError(
    'TOOMANYREQUESTS',
    `The repository has ${limit} open uploads already; finish or cancel some, or wait until they expire.`,
  )
}

function* countOpen(sql: Sql, repositoryId: string, limit: number): Step<number> {
  const row = yield* first<{ count: number }>(sql`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM uploads WHERE repository_id = ${repositoryId} AND ended_at IS NULL AND expires_at > ${sql.now}
      LIMIT ${limit}
    ) AS open_sessions`)
  return row?.count ?? 0
}
