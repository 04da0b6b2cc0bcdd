import type { MetadataStore } from '@openregistry/core'
import type { Metrics } from '@openregistry/server/metrics'

/** Jobs, and damaged places, that are counted at most. */
const countedAtMost = 1000

/**
 * Numbers that the database keeps for the whole cluster. One process of a replica shows them, since those of its processes
 * are added up.
 */
export function watchQueues(metrics: Metrics, metadata: MetadataStore): void {
  const uploads = metrics.gauge('openregistry_upload_sessions', 'Open upload sessions.')
  const pending = metrics.gauge('openregistry_gc_pending_deletes', 'Objects that wait for deletion.')
  metrics.watch([uploads, pending], async () => {
    const { openUploads, pendingDeletes } = await metadata.figures()
    uploads.set(openUploads)
    pending.set(pendingDeletes)
  })
  const damaged = metrics.gauge(
    'openregistry_scrub_damaged_locations',
    'Places whose stored bytes are damaged or missing and have not been pushed again; counted up to 1000.',
  )
  metrics.watch([damaged], async () => {
    const { items } = await metadata.listDamage({ after: null, limit: countedAtMost })
    damaged.set(items.length)
  })
  const jobs = metrics.gauge('openregistry_jobs', 'Background jobs by kind and state.')
  metrics.watch([jobs], async () => {
    const found = await metadata.listJobs(countedAtMost)
    jobs.reset()
    for (const { kind, state } of found) jobs.add(1, { kind, state })
  })
}
