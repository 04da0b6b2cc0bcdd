import type { PlacementRules, RepositoryFacts } from '@openregistry/core'
import { misplaced } from '@openregistry/core/placement'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import type { LockedLinks } from './link.ts'
import { placedAs } from './repository.ts'

/**
 * Makes sure that content of a repository, which was joined before, lies where it may. A change of visibility sees to that;
 * only a backend that the configuration did not call public before can be found here.
 * @throws RegistryError `CONFLICT`.
 */
export function* requireAllowed(
  sql: Sql,
  repository: RepositoryFacts,
  { backends, confined }: Pick<LockedLinks, 'backends' | 'confined'>,
  rules: PlacementRules,
): Step<void> {
  const open = confined ? rules.public.find((backend) => backends.has(backend)) : undefined
  if (open !== undefined) throw misplaced(rules, yield* placedAs(sql, repository), open)
}
