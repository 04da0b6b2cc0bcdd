import type { Move } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { readMove } from '../rows/move.ts'
import { lockPlacement } from '../rows/repository.ts'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.cancelMove`. */
export function* cancelMove(sql: Sql, name: RepositoryName): Step<Move | null> {
  const repository = yield* lockPlacement(sql, name)
  if (repository === null) return null
  const before = yield* first<{ from_backend: string | null; from_confined: unknown }>(sql`
    UPDATE moves SET ended_at = ${sql.now}, cancelled = TRUE, bytes_under_way = 0
    WHERE repository_id = ${repository.id} AND ended_at IS NULL
    RETURNING from_backend, from_confined`)
  if (before === null) return null
  yield* run(sql`
    UPDATE repositories SET backend = ${before.from_backend}, confined = ${Boolean(before.from_confined)}
    WHERE id = ${repository.id}`)
  return yield* readMove(sql, repository.id)
}
