import { AggregatorRegistry, Registry as MetricRegistry } from 'prom-client'

/** A metric with its values, as one process hands it to another. */
export interface MetricJson {
  name: string
  help: string
  type: string
  /** How the values of many processes become one: `sum`, `max`, `average`, … */
  aggregator: string
  values: readonly { labels: Readonly<Record<string, string | number>>; value: number; metricName?: string }[]
}

/** All metrics of a process at one moment. Plain data. */
export type MetricSnapshot = readonly MetricJson[]

/** The text exposition format of Prometheus, with its content type. */
export interface RenderedMetrics {
  contentType: string
  body: string
}

/** Adds up the numbers of processes and writes them in the format of Prometheus. */
export async function renderMetrics(snapshots: readonly MetricSnapshot[]): Promise<RenderedMetrics> {
  const together = aggregate(snapshots)
  return { contentType: together.contentType, body: await together.metrics() }
}

/**
 * What remains of processes that are gone: whatever only grows, added up. Without it the totals of the others would seem to
 * go backwards.
 */
export async function retireMetrics(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  const growing = snapshots.map((metrics) => metrics.filter(({ type }) => type !== 'gauge'))
  return (await aggregate(growing).getMetricsAsJSON()) as unknown as MetricSnapshot
}

function aggregate(snapshots: readonly MetricSnapshot[]): MetricRegistry {
  return AggregatorRegistry.aggregate(snapshots.map(withStartTime) as unknown as object[])
}

/** prom-client leaves the time out at which a process began; of many the first one says how long the registry runs. */
function withStartTime(snapshot: MetricSnapshot): MetricSnapshot {
  return snapshot.map((metric) => (metric.aggregator === 'omit' ? { ...metric, aggregator: 'min' } : metric))
}
