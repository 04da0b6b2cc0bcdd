import type { Damage, ScrubObserver } from '@openregistry/core'
import type { Metrics } from '@openregistry/server/metrics'
import type { Logger } from '@openregistry/server/log'

/** Counts what scrub reads, and writes one line for each repository that has damaged content. */
export function observeScrub(metrics: Metrics, log: Logger): ScrubObserver {
  const objects = metrics.counter('openregistry_scrub_objects_total', 'Stored objects that were read again.')
  const bytes = metrics.counter('openregistry_scrub_bytes_total', 'Stored bytes that were read again.')
  const damaged = metrics.counter(
    'openregistry_scrub_damaged_total',
    'Stored objects that were found damaged or missing.',
  )
  return {
    verified: () => objects.inc(),
    read: (count) => bytes.inc(count),
    damage(found) {
      damaged.inc()
      logDamage(log, found)
    },
  }
}

function logDamage(log: Logger, { digest, size, state, backend, key, cause, uses }: Damage): void {
  const fields = { digest, size, state, backend, ...(key === null ? {} : { key }), cause }
  if (uses.length === 0) log.error('scrub_damage', { ...fields, message: 'No repository reads it any more.' })
  for (const { repository, images } of uses) {
    const names = images.flatMap((image): string[] => (image.tags.length > 0 ? image.tags : [image.digest]))
    log.error('scrub_damage', {
      repository,
      ...fields,
      images: names.join(','),
      message: 'Push it again; until then it is answered as not here.',
    })
  }
}
