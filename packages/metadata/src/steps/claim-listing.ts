import type { ClaimedListing, Milliseconds } from '@openregistry/core'
import { first, hit, runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

const prefixes: readonly string[] = Array.from({ length: 256 }, (_, index) =>
  index.toString(16).padStart(2, '0'),
)

/** See `ScrubStore.claimListing`. */
export function* claimListing(
  sql: Sql,
  input: { backend: string; claim: string; lease: Milliseconds; listedBefore: Milliseconds },
): Step<ClaimedListing | null> {
  const { backend, claim, lease, listedBefore } = input
  const known = yield* hit(sql`SELECT 1 FROM scrub_listings WHERE backend = ${backend} AND prefix = 'ff'`)
  if (!known) {
    yield* runEach(
      prefixes.map(
        (prefix) => sql`
          INSERT INTO scrub_listings (backend, prefix, listed_at) VALUES (${backend}, ${prefix}, 0)
          ON CONFLICT (backend, prefix) DO NOTHING`,
      ),
    )
  }
  const free = yield* first<{ prefix: string; now: Milliseconds }>(sql`
    SELECT prefix, ${sql.now} AS now FROM scrub_listings
    WHERE backend = ${backend} AND listed_at < ${listedBefore}
      AND (claimed_until IS NULL OR claimed_until <= ${sql.now})
    ORDER BY listed_at, prefix LIMIT 1 ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
  if (free === null) return null
  yield* hit(sql`
    UPDATE scrub_listings SET claim = ${claim}, claimed_until = ${sql.now} + ${lease}
    WHERE backend = ${backend} AND prefix = ${free.prefix}`)
  return { prefix: free.prefix, now: free.now }
}
