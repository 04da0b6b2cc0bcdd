import type { JobKind } from '../jobs/job-kind.ts'
import type { Ports } from '../settings.ts'
import { sweep } from './sweep.ts'

/** Milliseconds between two rounds of one run: a breath for requests. */
const breath = 100

/** Ends uploads and deletes objects that no row needs, in small rounds, until there is nothing left to do. */
export function sweepJob(ports: Ports): JobKind {
  return {
    name: 'registry.sweep',
    event: 'gc_sweep',
    period: 60_000,
    attempts: 10,
    async run({ signal }) {
      const done = { uploads: 0, objects: 0 }
      while (!signal.aborted) {
        const { uploads, objects } = await sweep(ports, signal)
        if (uploads + objects === 0) break
        done.uploads += uploads
        done.objects += objects
        await new Promise((resolve) => setTimeout(resolve, breath))
      }
      return done.uploads + done.objects === 0 ? null : done
    },
  }
}
