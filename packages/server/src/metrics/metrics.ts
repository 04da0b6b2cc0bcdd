import { Counter, Gauge, Histogram, Registry as MetricRegistry, collectDefaultMetrics } from 'prom-client'

/** The numbers of this process under the names of `docs/operations.md`. No label ever holds a name of a repository. */
export interface Metrics {
  /** One answered request. `route` is a kind of target, never a path. */
  observeRequest(route: string, method: string, status: number, seconds: number): void
  countBytes(direction: 'push' | 'pull', bytes: number): void
  connections(change: 1 | -1): void
  /** Numbers of the registry that are read when somebody asks for the metrics. */
  setFigures(figures: { openUploads: number; pendingDeletes: number }): void
  /** The text exposition format of Prometheus, with its content type. */
  render(): Promise<{ contentType: string; body: string }>
}

const buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120]

/** Metrics of one server. Each has a registry of its own, so that tests may run several. */
export function createMetrics(): Metrics {
  const registers = [new MetricRegistry()]
  const [register] = registers as [MetricRegistry]
  collectDefaultMetrics({ register, prefix: 'openregistry_' })
  const requests = new Counter({
    name: 'openregistry_http_requests_total',
    help: 'Requests by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'openregistry_http_request_duration_seconds',
    help: 'Time from the request line to the end of the handler.',
    labelNames: ['route', 'method'],
    buckets,
    registers,
  })
  const connections = gauge(registers, 'openregistry_http_active_connections', 'Open connections.')
  const pushed = counter(registers, 'openregistry_push_bytes_total', 'Bytes received in blobs and manifests.')
  const pulled = counter(registers, 'openregistry_pull_bytes_total', 'Bytes sent in blobs and manifests.')
  const uploads = gauge(registers, 'openregistry_upload_sessions', 'Open upload sessions.')
  const pending = gauge(registers, 'openregistry_gc_pending_deletes', 'Objects that wait for deletion.')
  const tally = createTally(requests, durations)
  return {
    observeRequest: tally.observe,
    countBytes: (direction, bytes) => (direction === 'push' ? pushed : pulled).inc(bytes),
    connections: (change) => connections.inc(change),
    setFigures({ openUploads, pendingDeletes }) {
      uploads.set(openUploads)
      pending.set(pendingDeletes)
    },
    render: async () => ({ contentType: register.contentType, body: await register.metrics() }),
  }
}

/**
 * Looking labels up costs as much as a small request, so the children of the label sets that were seen are kept. There
 * are few: routes × methods × statuses.
 */
function createTally(
  requests: Counter<'route' | 'method' | 'status'>,
  durations: Histogram<'route' | 'method'>,
): { observe: Metrics['observeRequest'] } {
  const counters = new Map<string, { inc(): void }>()
  const timers = new Map<string, { observe(seconds: number): void }>()
  return {
    observe(route, method, status, seconds) {
      const timerKey = `${route} ${method}`
      const counterKey = `${timerKey} ${status}`
      let requestsChild = counters.get(counterKey)
      if (requestsChild === undefined) {
        requestsChild = requests.labels(route, method, String(status))
        counters.set(counterKey, requestsChild)
      }
      let timersChild = timers.get(timerKey)
      if (timersChild === undefined) {
        timersChild = durations.labels(route, method)
        timers.set(timerKey, timersChild)
      }
      requestsChild.inc()
      timersChild.observe(seconds)
    },
  }
}

function counter(registers: MetricRegistry[], name: string, help: string): Counter {
  return new Counter({ name, help, registers })
}

function gauge(registers: MetricRegistry[], name: string, help: string): Gauge {
  return new Gauge({ name, help, registers })
}
