import type { Collection } from '@openregistry/core'
import type { Metrics } from '@openregistry/server/metrics'

/** What the collector did, as counters. */
export function countCollection(metrics: Metrics): (done: Collection) => void {
  const counters = {
    repositories: metrics.counter(
      'openregistry_gc_repositories_total',
      'Deleted repositories that were emptied.',
    ),
    manifests: metrics.counter('openregistry_gc_manifests_total', 'Deleted manifests that were collected.'),
    links: metrics.counter(
      'openregistry_gc_links_total',
      'Links of blobs to repositories that were collected.',
    ),
    blobs: metrics.counter('openregistry_gc_blobs_total', 'Blobs that were collected.'),
    bytes: metrics.counter('openregistry_gc_bytes_total', 'Bytes of the blobs that were collected.'),
    objects: metrics.counter('openregistry_gc_objects_total', 'Objects that were deleted from backends.'),
  }
  return (done) => {
    for (const [name, counter] of Object.entries(counters)) {
      const by = done[name as keyof typeof counters]
      if (by > 0) counter.inc(by)
    }
  }
}
