import type { OpenUpload, UploadSession } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import { ensureRepository } from '../rows/repository.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.openUpload`. */
export function* openUpload(sql: Sql, input: OpenUpload): Step<UploadSession> {
  const { id, name, visibility } = yield* ensureRepository(sql, input.repository, input.defaultVisibility)
  if (input.limit > 0) {
    const open = yield* first<{ count: number }>(sql`
      SELECT count(*) AS count FROM (
        SELECT 1 FROM uploads WHERE repository_id = ${id} AND ended_at IS NULL AND expires_at > ${sql.now}
        LIMIT ${input.limit}
      ) AS open_sessions`)
    if ((open?.count ?? 0) >= input.limit) {
      throw new RegistryError(
        'TOOMANYREQUESTS',
        `The repository has ${input.limit} open uploads already; finish or cancel some, or wait until they expire.`,
      )
    }
  }
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
    expiresAt: session?.expires_at ?? 0,
  }
}
