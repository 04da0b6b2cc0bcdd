import type { PlacementRules } from '@openregistry/core'
import { isAllowed } from '@openregistry/core/placement'
import type { Digest } from '@openregistry/oci'
import { relocate } from '../rows/move.ts'
import { joinRepositoryById, placedAs } from '../rows/repository.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.relocateLinks`. */
export function* relocateLinks(
  sql: Sql,
  input: { repositoryId: string; digests: readonly Digest[]; rules: PlacementRules },
): Step<number> {
  const repository = yield* joinRepositoryById(sql, input.repositoryId)
  if (repository === null) return 0
  const placed = yield* placedAs(sql, repository)
  if (placed.backend === null || !isAllowed(input.rules, placed, placed.backend)) return 0
  return yield* relocate(sql, repository.id, placed.backend, input.digests)
}
