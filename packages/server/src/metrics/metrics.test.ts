import { expect, test, vi } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'
import { renderMetrics, retireMetrics, type MetricSnapshot } from './snapshot.ts'

/** The samples of a text in the format of Prometheus whose names begin like this. */
async function samples(snapshots: readonly MetricSnapshot[], begin: string): Promise<string[]> {
  const { body } = await renderMetrics(snapshots)
  return body.split('\n').filter((line) => line.startsWith(begin))
}

/** What a process hands to another: plain data. */
async function snapshotOf(metrics: Metrics): Promise<MetricSnapshot> {
  return structuredClone(await metrics.snapshot())
}

test('requests are counted by route, method and status, and timed', async () => {
  const metrics = createMetrics()
  metrics.observeRequest('blob', 'HEAD', 200, 0.0004)
  metrics.observeRequest('blob', 'HEAD', 200, 0.002)
  metrics.observeRequest('blob', 'HEAD', 404, 200)
  const snapshot = await snapshotOf(metrics)
  expect(await samples([snapshot], 'openregistry_http_requests_total')).toStrictEqual([
    'openregistry_http_requests_total{route="blob",method="HEAD",status="200"} 2',
    'openregistry_http_requests_total{route="blob",method="HEAD",status="404"} 1',
  ])
  const times = await samples([snapshot], 'openregistry_http_request_duration_seconds')
  expect(times.slice(0, 2)).toStrictEqual([
    'openregistry_http_request_duration_seconds_bucket{le="0.001",route="blob",method="HEAD"} 1',
    'openregistry_http_request_duration_seconds_bucket{le="0.005",route="blob",method="HEAD"} 2',
  ])
  expect(times.slice(-3)).toStrictEqual([
    'openregistry_http_request_duration_seconds_bucket{le="+Inf",route="blob",method="HEAD"} 3',
    'openregistry_http_request_duration_seconds_sum{route="blob",method="HEAD"} 200.0024',
    'openregistry_http_request_duration_seconds_count{route="blob",method="HEAD"} 3',
  ])
})

test('the numbers of processes are added up, those of the dead included', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  for (const metrics of [one, two]) {
    metrics.observeRequest('tags', 'GET', 200, 0.01)
    metrics.connections(1)
    metrics.databaseTimings('findBlob').observe(0.003)
    metrics.counter('openregistry_gc_blobs_total', 'Blobs.').inc(5)
  }
  const [left, dying] = [await snapshotOf(one), await snapshotOf(two)]
  const names = [
    'openregistry_http_requests_total{',
    'openregistry_http_active_connections ',
    'openregistry_gc_blobs_total ',
    'openregistry_db_query_duration_seconds_count',
  ]
  const values = async (snapshots: readonly MetricSnapshot[]) =>
    Promise.all(names.map(async (name) => (await samples(snapshots, name))[0]?.split(' ').at(-1)))
  expect(await values([left, dying])).toStrictEqual(['2', '2', '10', '2'])
  // Once it is gone its connections are gone, and what it counted is not.
  const gone = structuredClone(await retireMetrics([await retireMetrics([]), dying]))
  expect(await values([left, gone])).toStrictEqual(['2', '1', '10', '2'])
  expect(await values([left, await retireMetrics([gone, dying])])).toStrictEqual(['3', '1', '15', '3'])
})

test('many processes began when the first of them did', async () => {
  const snapshots = [30, 10, 20].map((value) => [
    { name: 'x_start', help: 'x', type: 'gauge', aggregator: 'omit', values: [{ labels: {}, value }] },
  ])
  expect(await samples(snapshots, 'x_start')).toStrictEqual(['x_start 10'])
})

test('a gauge that cannot be read, or not in time, is left out, and the others are there', async () => {
  vi.useFakeTimers()
  try {
    const metrics = createMetrics()
    const [away, slow, good] = ['away', 'slow', 'good'].map((name) => metrics.gauge(`x_${name}`, name)) as [
      ReturnType<Metrics['gauge']>,
      ReturnType<Metrics['gauge']>,
      ReturnType<Metrics['gauge']>,
    ]
    let fault: Error | null = null
    metrics.watch([away], async () => {
      if (fault !== null) throw fault
      away.set(1)
    })
    metrics.watch([slow], () => (fault === null ? slow.set(2) : new Promise(() => {})))
    metrics.watch([good], () => good.set(3))
    expect(await samples([await snapshotOf(metrics)], 'x_')).toStrictEqual([
      'x_away 1',
      'x_slow 2',
      'x_good 3',
    ])
    fault = new Error('gone')
    const asked = snapshotOf(metrics)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await samples([await asked], 'x_')).toStrictEqual(['x_good 3'])
  } finally {
    vi.useRealTimers()
  }
})
