import type { JobKind } from '../jobs/job-kind.ts'
import type { Ports } from '../settings.ts'
import { collect, type Collection } from './collect.ts'

/**
 * Collects what nobody needs any more, all the time.
 * @param observe told what a run did, for metrics.
 */
export function collectJob(ports: Ports, observe?: (done: Collection) => void): JobKind {
  return {
    name: 'registry.collect',
    event: 'gc_sweep',
    period: 60_000,
    attempts: 10,
    async run({ signal }) {
      let last: Collection = { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0, objects: 0 }
      const progress = (soFar: Readonly<Collection>): void => {
        observe?.(difference(soFar, last))
        last = { ...soFar }
      }
      const { bytes: size, ...done } = await collect(ports, signal, { progress })
      return Object.values(done).some((count) => count > 0) ? { ...done, size } : null
    },
  }
}

function difference(now: Collection, before: Collection): Collection {
  const entries = Object.entries(now) as [keyof Collection, number][]
  return Object.fromEntries(
    entries.map(([key, value]) => [key, value - before[key]]),
  ) as unknown as Collection
}
