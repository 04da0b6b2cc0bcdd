import type { OpenCopy } from '@openregistry/core'
import { isAllowed } from '@openregistry/core/placement'
import { joinRepositoryById } from '../rows/repository.ts'
import { insertSession } from '../rows/session.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Whose sessions copies are: no client's, so that none can reach one. */
const principal = 'registry'

/** See `PlacementStore.openCopy`. */
export function* openCopy(sql: Sql, { id, repositoryId, backend, lifetime, rules }: OpenCopy): Step<boolean> {
  const repository = yield* joinRepositoryById(sql, repositoryId)
  if (repository === null || !isAllowed(rules, repository, backend)) return false
  yield* insertSession(sql, repository, { id, principal, backend, algorithm: null, lifetime })
  return true
}
