import { Counter, Registry as MetricRegistry, collectDefaultMetrics, type Metric } from 'prom-client'
import type { MetricSnapshot } from './snapshot.ts'
import { CountFamily, GaugeFamily, TimingFamily, type Count, type Timings } from './tallies.ts'

/** The numbers of this process under the names of `docs/operations.md`. No label ever holds a name of a repository. */
export interface Metrics {
  /** One answered request. `route` is a kind of target, never a path. */
  observeRequest(route: string, method: string, status: number, seconds: number): void
  countBytes(direction: 'push' | 'pull', bytes: number): void
  /** Bytes of content for clients of IPFS. */
  countIpfsBytes(direction: 'in' | 'out', bytes: number): void
  /** One announcement to the network of IPFS. */
  countAnnouncement(result: 'announced' | 'unanswered' | 'withdrawn'): void
  connections(change: 1 | -1): void
  /** Where the durations of one operation of the database go. Ask once and keep it. */
  databaseTimings(operation: string): Timings
  /** The same for an operation of a storage backend. */
  storeTimings(driver: string, operation: string): Timings
  /** One run of a job that ended. */
  observeJob(kind: string, result: string, seconds: number): void
  /** A counter of a feature; its name begins with `openregistry_` and ends in `_total`. */
  counter(name: string, help: string): { inc(by?: number): void }
  /** A gauge of a feature. The values of several processes are added up. */
  gauge(name: string, help: string): GaugeFamily
  /**
   * Called before every snapshot to set gauges that somebody else keeps. When it fails, or takes too long, the gauges that
   * it returns are left out.
   */
  watch(gauges: readonly GaugeFamily[], read: () => void | Promise<void>): void
  /** All numbers of this process now. */
  snapshot(): Promise<MetricSnapshot>
}

/** Upper bounds of buckets, in seconds. */
const buckets = {
  requests: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120],
  queries: [0.0001, 0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5, 30],
  jobs: [0.01, 0.1, 1, 10, 60, 600, 3600],
}

/** How long a snapshot waits for numbers of others, in milliseconds. */
const patience = 1000

/** Metrics of one process. Each has a registry of its own, so that tests may run several. */
export function createMetrics(): Metrics {
  const register = new MetricRegistry()
  const registers = [register]
  collectDefaultMetrics({ register, prefix: 'openregistry_' })
  const families = createFamilies()
  // Their `get` is all that is asked of them.
  for (const family of Object.values(families)) register.registerMetric(family as unknown as Metric)
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })
  const gauge = (name: string, help: string): GaugeFamily => {
    const family = new GaugeFamily(name, help)
    register.registerMetric(family as unknown as Metric)
    return family
  }
  const connections = gauge('openregistry_http_active_connections', 'Open connections.')
  connections.set(0)
  const pushed = counter('openregistry_push_bytes_total', 'Bytes received in blobs and manifests.')
  const pulled = counter('openregistry_pull_bytes_total', 'Bytes sent in blobs and manifests.')
  const ipfsBytes = {
    in: families.ipfsBytes.add({ direction: 'in' }),
    out: families.ipfsBytes.add({ direction: 'out' }),
  }
  const announcements = {
    announced: families.announcements.add({ result: 'announced' }),
    unanswered: families.announcements.add({ result: 'unanswered' }),
    withdrawn: families.announcements.add({ result: 'withdrawn' }),
  }
  const watched: (() => Promise<void>)[] = []
  return {
    observeRequest: createRequestTally(families.requests, families.requestTimes),
    countBytes: (direction, bytes) => (direction === 'push' ? pushed : pulled).inc(bytes),
    countIpfsBytes: (direction, bytes) => void (ipfsBytes[direction].value += bytes),
    countAnnouncement: (result) => void announcements[result].value++,
    connections: (change) => connections.add(change),
    databaseTimings: (operation) => families.queryTimes.add({ operation }),
    storeTimings: (driver, operation) => families.storeTimes.add({ driver, operation }),
    observeJob: createJobTally(families.jobs, families.jobTimes),
    counter,
    gauge,
    watch(gauges, read) {
      watched.push(() => readInTime(read).catch(() => gauges.forEach((one) => one.reset())))
    },
    async snapshot() {
      await Promise.all(watched.map((read) => read()))
      return (await register.getMetricsAsJSON()) as unknown as MetricSnapshot
    },
  }
}

function createFamilies() {
  return {
    requests: new CountFamily('openregistry_http_requests_total', 'Requests by route, method and status.'),
    ipfsBytes: new CountFamily(
      'openregistry_ipfs_bytes_total',
      'Bytes of content that clients of IPFS got (out), or that came from IPFS (in).',
    ),
    announcements: new CountFamily(
      'openregistry_ipfs_announcements_total',
      'Roots that peers of the DHT were to be told of, by what came of it.',
    ),
    requestTimes: new TimingFamily(
      'openregistry_http_request_duration_seconds',
      'Time from the request line to the end of the handler.',
      buckets.requests,
    ),
    queryTimes: new TimingFamily(
      'openregistry_db_query_duration_seconds',
      'Time that an operation of the database took, waiting included.',
      buckets.queries,
    ),
    storeTimes: new TimingFamily(
      'openregistry_blob_store_operation_duration_seconds',
      'Time that an operation of a storage backend took; of reads, until the first byte.',
      buckets.requests,
    ),
    jobs: new CountFamily('openregistry_jobs_total', 'Runs of background jobs by kind and result.'),
    jobTimes: new TimingFamily(
      'openregistry_jobs_duration_seconds',
      'Time that runs of jobs took.',
      buckets.jobs,
    ),
  }
}

/** The sets of labels are few (routes × methods × statuses) and found without building a string. */
function createRequestTally(requests: CountFamily, times: TimingFamily): Metrics['observeRequest'] {
  const routes = new Map<string, Map<string, { timings: Timings; statuses: Map<number, Count> }>>()
  return (route, method, status, seconds) => {
    let methods = routes.get(route)
    if (methods === undefined) routes.set(route, (methods = new Map()))
    let entry = methods.get(method)
    if (entry === undefined) {
      entry = { timings: times.add({ route, method }), statuses: new Map() }
      methods.set(method, entry)
    }
    let count = entry.statuses.get(status)
    if (count === undefined) {
      count = requests.add({ route, method, status: String(status) })
      entry.statuses.set(status, count)
    }
    count.value++
    entry.timings.observe(seconds)
  }
}

function createJobTally(jobs: CountFamily, times: TimingFamily): Metrics['observeJob'] {
  const counts = new Map<string, Count>()
  const timings = new Map<string, Timings>()
  return (kind, result, seconds) => {
    const key = `${kind} ${result}`
    let count = counts.get(key)
    if (count === undefined) counts.set(key, (count = jobs.add({ kind, result })))
    count.value++
    let time = timings.get(kind)
    if (time === undefined) timings.set(kind, (time = times.add({ kind })))
    time.observe(seconds)
  }
}

async function readInTime(read: () => void | Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The numbers came too late.')), patience)
  })
  try {
    await Promise.race([read(), late])
  } finally {
    clearTimeout(timer)
  }
}
