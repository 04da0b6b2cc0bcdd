import {
  announceJob,
  collectJob,
  layoutsJob,
  pinLayoutsJob,
  pinsLayouts,
  namesJob,
  moveJob,
  repairJob,
  replicateJob,
  scrubJob,
  settleJob,
  startJobs,
  sweepJob,
  type JobKind,
  type JobObserver,
  type JobRunner,
  type PeerNetwork,
  type Ports,
} from '@openregistry/core'
import type { Metrics } from '@openregistry/server/metrics'
import type { Config } from '@openregistry/server/config'
import type { Logger } from '@openregistry/server/log'
import { countCollection } from './count-collection.ts'
import { observeScrub } from './scrub/observe-scrub.ts'

/** What work in the background needs. */
export interface BackgroundParts {
  config: Config
  ports: Ports
  /** Who is told what is here; null where nobody is. */
  network: PeerNetwork | null
  metrics: Metrics
  log: Logger
}

/** Everything that is done in the background. Whoever adds a kind adds it here. */
function jobKinds({ config, ports, network, metrics, log }: BackgroundParts): JobKind[] {
  const kinds = [
    sweepJob(ports),
    collectJob(ports, countCollection(metrics)),
    settleJob(ports),
    layoutsJob(ports),
    moveJob(ports),
  ]
  if ([...ports.backends.values()].some(pinsLayouts)) kinds.push(pinLayoutsJob(ports))
  if (ports.names !== null) kinds.push(namesJob(ports, ports.names))
  if (ports.backends.size > 1) kinds.push(repairJob(ports))
  if (ports.settings.replicas.length > 0) kinds.push(replicateJob(ports))
  if (network !== null && config.ipfs.announce) {
    const observe = metrics.countAnnouncement
    kinds.push(announceJob({ metadata: ports.metadata, network, observe }))
  }
  const { rate, interval } = config.scrub
  if (interval > 0) kinds.push(scrubJob(ports, { rate, interval, observer: observeScrub(metrics, log) }))
  return kinds
}

/** Begins to do jobs in this process. */
export function startBackgroundJobs(parts: BackgroundParts): JobRunner {
  const { ports, metrics, log } = parts
  const kinds = jobKinds(parts)
  return startJobs({ queue: ports.metadata, kinds, observer: observe(metrics, log) })
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
