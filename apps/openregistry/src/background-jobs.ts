import {
  collectJob,
  startJobs,
  sweepJob,
  type JobKind,
  type JobObserver,
  type JobRunner,
  type Ports,
} from '@openregistry/core'
import type { Metrics } from '@openregistry/server'
import type { Logger } from '@openregistry/server/log'
import { countCollection } from './count-collection.ts'

/** Everything that is done in the background. Whoever adds a kind adds it here. */
function jobKinds(ports: Ports, metrics: Metrics): JobKind[] {
  return [sweepJob(ports), collectJob(ports, countCollection(metrics))]
}

/** Begins to do jobs in this process. */
export function startBackgroundJobs(ports: Ports, metrics: Metrics, log: Logger): JobRunner {
  return startJobs({
    queue: ports.metadata,
    kinds: jobKinds(ports, metrics),
    observer: observe(metrics, log),
  })
}

/** Counts every run, and writes one line for each that did something or went wrong. */
function observe(metrics: Metrics, log: Logger): JobObserver {
  return {
    ended({ name: job, event }, outcome, duration) {
      metrics.observeJob(job, outcome.result, duration / 1000)
      const fields = { job, duration_ms: Math.round(duration) }
      switch (outcome.result) {
        case 'done':
          return outcome.report === null ? undefined : log.info(event, { ...fields, ...outcome.report })
        case 'failed': {
          const { error, retry } = outcome
          if (retry === null) return log.error(`${event}_failed`, { ...fields, error, message: 'Given up.' })
          return log.warn(`${event}_failed`, { ...fields, error, retry_ms: retry })
        }
        case 'lost':
          return log.warn(`${event}_lost`, { ...fields, message: 'Another process may have this job now.' })
        case 'stopped':
          return log.debug(`${event}_stopped`, fields)
      }
    },
    queueAway: (error) => log.warn('jobs_away', { error, message: 'The queue of jobs does not answer.' }),
    queueBack: () => log.info('jobs_back'),
  }
}
