import type { ReleasedPin, ReleaseLayoutPins } from '@openregistry/core'
import { mayBePublic } from '@openregistry/core/placement'
import { exposedPins } from '../rows/exposed-pins.ts'
import { joinRepositoryById, placedAs } from '../rows/repository.ts'
import { runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.releaseLayoutPins`. */
export function* releaseLayoutPins(
  sql: Sql,
  { repositoryId, rules, limit }: ReleaseLayoutPins,
): Step<ReleasedPin[]> {
  const repository = yield* joinRepositoryById(sql, repositoryId)
  if (repository === null || mayBePublic(yield* placedAs(sql, repository))) return []
  const pins = yield* exposedPins(sql, repositoryId, { open: rules.public, limit })
  yield* runEach(
    pins.map(
      ({ root, backend }) => sql`
        UPDATE layout_pins SET looked_at = 0 WHERE root = ${root} AND backend = ${backend}`,
    ),
  )
  return pins
}
