import type { Milliseconds, UploadId, UploadSession, Visibility } from '@openregistry/core'
import type { DigestAlgorithm, RepositoryName } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  repository_id: string
  visibility: Visibility
  principal: string
  backend: string
  algorithm: DigestAlgorithm | null
  received: number
  age: Milliseconds
  expires_at: Milliseconds
}

/** See `MetadataStore.findUpload`. */
export function* findUpload(sql: Sql, name: RepositoryName, id: UploadId): Step<UploadSession | null> {
  const row = yield* first<Found>(sql`
    SELECT u.repository_id, r.visibility, u.principal, u.backend, u.algorithm, u.received,
      ${sql.now} - u.created_at AS age, u.expires_at
    FROM uploads AS u JOIN live_repositories AS r ON r.id = u.repository_id
    WHERE u.id = ${id} AND u.ended_at IS NULL AND u.expires_at > ${sql.now} AND r.name = ${name}`)
  return (
    row && {
      id,
      repository: { id: row.repository_id, name, visibility: row.visibility },
      principal: row.principal,
      backend: row.backend,
      algorithm: row.algorithm,
      offset: row.received,
      age: row.age,
      expiresAt: row.expires_at,
    }
  )
}
