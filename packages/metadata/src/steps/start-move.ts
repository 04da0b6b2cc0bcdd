import type { Move, PlacedRepository, StartMove } from '@openregistry/core'
import { isAllowed } from '@openregistry/core/placement'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { askForMove, readMove } from '../rows/move.ts'
import { beginPassesAnew } from '../rows/replication.ts'
import { lockPlacement } from '../rows/repository.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.startMove`. */
export function* startMove(sql: Sql, input: StartMove): Step<Move | null> {
  const { repository: name, backend, rules } = input
  const repository = yield* lockPlacement(sql, name)
  if (repository === null) return null
  const before = yield* readMove(sql, repository.id)
  if (before !== null && before.endedAt === null && before.backend !== backend) {
    throw new RegistryError(
      'CONFLICT',
      `${name} is being moved to "${before.backend}". Wait for that, or stop it: openregistry move ${name} --cancel`,
    )
  }
  const open = rules.public.includes(backend)
  if (!isAllowed(rules, { ...repository, confined: false }, backend)) throw isPrivate(name, backend)
  yield* run(sql`
    UPDATE repositories SET backend = ${backend}, confined = ${!open} WHERE id = ${repository.id}`)
  if (open && repository.confined) yield* beginPassesAnew(sql)
  if (before === null || before.endedAt !== null) yield* begin(sql, repository, input)
  else yield* run(sql`UPDATE moves SET rate = ${input.rate} WHERE repository_id = ${repository.id}`)
  yield* askForMove(sql, repository.id)
  return yield* readMove(sql, repository.id)
}

function isPrivate(name: RepositoryName, backend: string): RegistryError {
  return new RegistryError(
    'CONFLICT',
    `The storage backend "${backend}" is public, and ${name} is private: others could read it there. ` +
      `If that is meant, make it public first: openregistry repository set ${name} --visibility public`,
  )
}

/** Writes the row anew, in place of that of the move before. */
function* begin(sql: Sql, repository: PlacedRepository & { id: string }, input: StartMove): Step<void> {
  yield* run(sql`DELETE FROM moves WHERE repository_id = ${repository.id}`)
  yield* run(sql`
    INSERT INTO moves (repository_id, backend, from_backend, from_confined, requested_by, rate, started_at)
    VALUES (${repository.id}, ${input.backend}, ${repository.backend}, ${repository.confined}, ${input.principal},
      ${input.rate}, ${sql.now})`)
}
