import { describe, expect, test } from 'vitest'
import { atMost, best, duration, growth, rate } from '../rows/metrics.ts'
import type { Metric, Row, Sample } from '../rows/row.ts'
import type { Result } from '../turns.ts'
import { compare, type Labels } from './compare.ts'

const labels: Labels = { ours: ['us'], peers: ['a', 'b'], special: 'a' }

function result(label: string, ...seconds: number[]): Result {
  const memory = { idleMemory: 0, peakMemory: 0 }
  const unused = { bytes: 0, p50: 0, p99: 0, cpuSeconds: 0, databaseCpuSeconds: NaN, ...memory }
  const samples = seconds.map((one): Sample => {
    return { ...unused, seconds: one, operations: 100 }
  })
  return { row: 'row', label, samples, failure: null, seeded: null }
}

function rowOf(...metrics: Metric[]): Row {
  const row: Row = { id: 'row', metrics, run: () => Promise.reject(new Error('not run here')) }
  return { ...row, reference: { label: 'loop', run: () => Promise.reject(new Error('not run here')) } }
}

describe('compare', () => {
  const results = [result('us', 9, 1, 2), result('a', 8, 8, 8), result('b', 4), result('loop', 2.5)]

  test('takes medians, and the best peer by the direction of the metric', () => {
    const metric = rate('requests', best(2), best(3), { kind: 'reference', atLeast: 1 }, atMost(10))
    const { medians, standings } = compare(rowOf(metric), metric, results, labels)
    expect(Object.fromEntries(medians)).toEqual({ us: 50, a: 12.5, b: 25, loop: 40 })
    expect(standings).toEqual([
      { label: 'us', toBest: 2, toSpecial: 4, verdicts: [true, false, true, false] },
    ])
  })

  test('means ahead by a ratio above 1 where less is better, too', () => {
    const metric = duration('time', best(2), atMost(2))
    const { standings } = compare(rowOf(metric), metric, results, labels)
    expect(standings).toEqual([{ label: 'us', toBest: 2, toSpecial: 4, verdicts: [true, true] }])
  })

  test('says nothing where a peer or we are missing', () => {
    const metric = rate('requests', best(2), atMost(10))
    const [alone] = compare(rowOf(metric), metric, [result('us', 2)], labels).standings
    expect(alone?.toBest).toBeNaN()
    expect(alone?.verdicts).toEqual([null, false])
    const [without] = compare(rowOf(metric), metric, [result('a', 2), result('us')], labels).standings
    expect(without?.verdicts).toEqual([null, null])
  })

  test('holds every shape of ours against the budgets', () => {
    const metric = rate('requests', best(2))
    const shapes = { ...labels, ours: ['us', 'loop'] }
    const { standings } = compare(rowOf(metric), metric, results, shapes)
    expect(standings.map(({ label, toBest, verdicts }) => [label, toBest, verdicts])).toEqual([
      ['us', 2, [true]],
      ['loop', 1.6, [false]],
    ])
  })

  test('compares a large registry with a small one, everybody by themselves', () => {
    const metric = rate('requests', growth(0.8))
    const large: Row = { ...rowOf(metric), id: 'large', small: 'row' }
    const grown = [...results, { ...result('us', 4), row: 'large' }, { ...result('b', 4), row: 'large' }]
    const { toSmall, standings } = compare(large, metric, grown, labels, rowOf(metric))
    expect(Object.fromEntries(toSmall)).toEqual({ us: 0.5, b: 1 })
    expect(standings[0]?.verdicts).toEqual([false])
    const without = compare(large, metric, [result('us', 4)], labels)
    expect(without.standings[0]?.verdicts).toEqual([null])
  })
})
