import type { Milliseconds } from '@openregistry/core'
import { endOf } from '../reads/list-keys.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `ScrubStore.endListing`. */
export function* endListing(
  sql: Sql,
  { backend, prefix, claim, now }: { backend: string; prefix: string; claim: string; now: Milliseconds },
): Step<void> {
  yield* run(sql`
    DELETE FROM surplus_objects
    WHERE backend = ${backend} AND key > ${prefix} AND key < ${endOf(prefix)} AND seen_at < ${now}`)
  yield* run(sql`
    UPDATE scrub_listings SET listed_at = ${sql.now}, claim = NULL, claimed_until = NULL
    WHERE backend = ${backend} AND prefix = ${prefix} AND claim = ${claim}`)
}
