import type { NameRenewal } from '@openregistry/core'
import { renewName } from '../rows/name.ts'
import { runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.renewNames`. In the order of their ids, so that two who do so at once do not wait for each other. */
export function* renewNames(
  sql: Sql,
  names: readonly { repositoryId: string; publicKey: Uint8Array }[],
  wish: Omit<NameRenewal, 'publicKey'>,
): Step<void> {
  const ordered = names.toSorted((a, b) => (a.repositoryId < b.repositoryId ? -1 : 1))
  yield* runEach(
    ordered.map(({ repositoryId, publicKey }) => renewName(sql, repositoryId, { ...wish, publicKey })),
  )
}
