import type { OpenUpload, UploadSession } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import { ensureRepository } from '../rows/repository.ts'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.openUpload`. */
export function* openUpload(sql: Sql, input: OpenUpload): Step<UploadSession> {
  const { id, name, visibility } = yield* ensureRepository(sql, input.repository, input.defaultVisibility)
  if (input.limit > 0) yield* requireRoom(sql, id, input.limit)
  const session = yield* first<{ expires_at: number }>(sql`
    INSERT INTO uploads (id, repository_id, principal, backend, algorithm, received, created_at, expires_at)
    VALUES (${input.id}, ${id}, ${input.principal}, ${input.backend}, ${input.algorithm}, 0, ${sql.now},
      ${sql.now} + ${input.lifetime})
    RETURNING expires_at`)
  return {
    id: input.id,
    repository: { id, name, visibility },
    principal: input.principal,
    backend: input.backend,
    algorithm: input.algorithm,
    offset: 0,
    age: 0,
    expiresAt: session?.expires_at ?? 0,
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
