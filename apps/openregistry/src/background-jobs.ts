import {
  startJobs,
  sweepJob,
  type JobKind,
  type JobObserver,
  type JobRunner,
  type Ports,
} from '@openregistry/core'
import type { Logger } from '@openregistry/server/log'

/** Everything that is done in the background. Whoever adds a kind adds it here. */
function jobKinds(ports: Ports): JobKind[] {
  return [sweepJob(ports)]
}

/** Begins to do jobs in this process. */
export function startBackgroundJobs(ports: Ports, log: Logger): JobRunner {
  return startJobs({ queue: ports.metadata, kinds: jobKinds(ports), observer: logJobs(log) })
}

/** One line for each run that did something or went wrong. */
function logJobs(log: Logger): JobObserver {
  return {
    ended({ name: job, event }, outcome, duration) {
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
