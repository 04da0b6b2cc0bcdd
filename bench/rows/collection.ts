import { countDeadBlobs, fillWithDeadBlobs } from '../seed/dead-blobs.ts'
import { atMost, rate } from './metrics.ts'
import {
  emptyGround,
  type Budget,
  type Collected,
  type Metric,
  type Sample,
  type Suite,
  type Turn,
} from './row.ts'

/** The collector gets so long to begin and to end, in seconds. */
const patience = 600

/** A window of pushes, and how many dead files were there at its end. */
interface Window {
  pushed: number
  seconds: number
  left: number
}

async function pushWindow({ server, ground, sizes, measure }: Turn): Promise<Window & { sample: Sample }> {
  const { pushSize: size, connections: parallel, windowSeconds: seconds } = sizes.collection
  const sample = await measure({ kind: 'steady', repository: ground.repository, size, parallel, seconds }, 0)
  return { pushed: sample.operations, seconds: sample.seconds, left: countDeadBlobs(server.site), sample }
}

function rateOf(windows: readonly Window[]): number {
  const sum = (of: (window: Window) => number): number => windows.reduce((total, one) => total + of(one), 0)
  return sum(({ pushed }) => pushed) / sum(({ seconds }) => seconds)
}

/** Pushes until nothing dead is left, and a little longer, for the comparison. */
async function collectBesidePushes(turn: Turn): Promise<Sample> {
  const { windowsAfter } = turn.sizes.collection
  const total = countDeadBlobs(turn.server.site)
  const [undisturbed, disturbed]: [Window[], Window[]] = [[], []]
  const begin = performance.now()
  let from = begin
  let until = begin
  let typical: Sample | null = null
  for (let left = total; left > 0;) {
    if (performance.now() - begin > patience * 1000) throw new Error(`${left} dead blobs are still there`)
    const start = performance.now()
    const window = await pushWindow(turn)
    if (left === total) from = start
    if (window.left === total) undisturbed.push(window)
    // In the windows in which it begins and ends, it does not disturb all the time.
    else if (left < total && window.left > 0) disturbed.push(window)
    if (window.left < left) until = performance.now()
    left = window.left
    typical = window.sample
  }
  for (let count = 0; count < windowsAfter; count++) undisturbed.push(await pushWindow(turn))
  if (typical === null) throw new Error('everything was collected before the first push')
  const collected = {
    spaceBack: 1 - countDeadBlobs(turn.server.site) / total,
    pushesMeanwhile: rateOf(disturbed),
    pushesAlone: rateOf(undisturbed),
  }
  // CPU and latencies of one window say nothing about the whole.
  const unknown = { p50: NaN, p99: NaN, cpuSeconds: NaN, databaseCpuSeconds: NaN }
  return { ...typical, ...unknown, seconds: (until - from) / 1000, operations: total, collected }
}

function percent(
  title: string,
  better: Metric['better'],
  budget: Budget,
  of: (sample: Collected) => number,
): Metric {
  const value = ({ collected }: Sample): number => (collected ? 100 * of(collected) : NaN)
  return { title, unit: '%', better, budgets: [budget], value }
}

const title = 'collection of 100 000 dead blobs of 64 KiB'

/** The space of what nobody needs comes back while pushes go on. */
export const collections: Suite = {
  servers: 'fresh',
  seed({ peer }, { collection: { dead } }) {
    if (peer.kind !== 'ours') return null
    return {
      fill: (site) => fillWithDeadBlobs(site, dead),
      words: `${dead.count} dead blobs of ${dead.size} bytes`,
    }
  },
  prepare: () => Promise.resolve({ ...emptyGround, repository: 'bench/alive' }),
  rows: [
    {
      id: 'collect',
      needs: 'collection',
      metrics: [
        rate(title, { kind: 'least', atLeast: 1000 }),
        percent(`${title}: space back`, 'higher', { kind: 'least', atLeast: 100 }, (one) => one.spaceBack),
        percent(
          `${title}: pushes of 64 KiB are slower meanwhile by`,
          'lower',
          atMost(20),
          ({ pushesMeanwhile, pushesAlone }) => 1 - pushesMeanwhile / pushesAlone,
        ),
      ],
      run: collectBesidePushes,
    },
  ],
}
