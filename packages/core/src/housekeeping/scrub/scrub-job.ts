import type { JobKind } from '../../jobs/job-kind.ts'
import type { Ports } from '../../settings.ts'
import { scrub, type ScrubOptions } from './scrub.ts'

/** Reads stored content again in the background, in rounds, until nothing is left that is due. */
export function scrubJob(ports: Ports, options: ScrubOptions): JobKind {
  return {
    name: 'registry.scrub',
    event: 'scrub',
    period: 60_000,
    attempts: 10,
    async run({ signal }) {
      const done = { objects: 0, bytes: 0, damaged: 0, recovered: 0, mended: 0, surplus: 0, deleted: 0 }
      for (let more = true; more && !signal.aborted;) {
        const round = await scrub(ports, options, signal)
        for (const key of ['objects', 'bytes', 'recovered', 'mended', 'surplus', 'deleted'] as const) {
          done[key] += round[key]
        }
        done.damaged += round.damaged.length
        more = round.more
      }
      return done.objects + done.surplus + done.damaged === 0 ? null : done
    },
  }
}
