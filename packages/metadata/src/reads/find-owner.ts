import { ownersOf, type Owner } from '../rows/owner.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `PlacementStore.findOwner`. */
export function* findOwner(sql: Sql, blobId: number, { open }: { open: boolean }): Step<Owner | null> {
  return (yield* ownersOf(sql, [blobId], open)).get(blobId) ?? null
}
