import type { PlacementRules, RepositoryFacts } from '@openregistry/core'
import { isAllowed, misplaced } from '@openregistry/core/placement'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { placedAs } from './repository.ts'

/**
 * Makes sure that content of a repository, which was joined before, lies where it may. A change of visibility sees to that;
 * only a backend that the configuration did not call public before can be found here.
 * @throws RegistryError `CONFLICT`.
 */
export function* requireAllowed(
  sql: Sql,
  repository: RepositoryFacts,
  backends: ReadonlySet<string>,
  rules: PlacementRules,
): Step<void> {
  const open = rules.public.find((backend) => backends.has(backend))
  if (open === undefined) return
  const placed = yield* placedAs(sql, repository)
  if (!isAllowed(rules, placed, open)) throw misplaced(rules, placed, open)
}
