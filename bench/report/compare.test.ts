import { describe, expect, test } from 'vitest'
import { atMost, best, duration, rate } from '../rows/metrics.ts'
import type { Metric, Row, Sample } from '../rows/row.ts'
import type { Result } from '../turns.ts'
import { compare, type Labels } from './compare.ts'

const labels: Labels = { ours: 'us', peers: ['a', 'b'], special: 'a' }

function result(label: string, ...seconds: number[]): Result {
  const samples = seconds.map((one): Sample => {
    const unused = { bytes: 0, p50: 0, p99: 0, cpuSeconds: 0, idleMemory: 0, peakMemory: 0 }
    return { ...unused, seconds: one, operations: 100 }
  })
  return { row: 'row', label, samples, failure: null }
}

function rowOf(...metrics: Metric[]): Row {
  const row: Row = { id: 'row', metrics, run: () => Promise.reject(new Error('not run here')) }
  return { ...row, reference: { label: 'loop', run: () => Promise.reject(new Error('not run here')) } }
}

describe('compare', () => {
  const results = [result('us', 9, 1, 2), result('a', 8, 8, 8), result('b', 4), result('loop', 2.5)]

  test('takes medians, and the best peer by the direction of the metric', () => {
    const metric = rate('requests', best(2), best(3), { kind: 'reference', atLeast: 1 }, atMost(10))
    const { medians, toBest, toSpecial, verdicts } = compare(rowOf(metric), metric, results, labels)
    expect(Object.fromEntries(medians)).toEqual({ us: 50, a: 12.5, b: 25, loop: 40 })
    expect(toBest).toBe(2)
    expect(toSpecial).toBe(4)
    expect(verdicts).toEqual([true, false, true, false])
  })

  test('means ahead by a ratio above 1 where less is better, too', () => {
    const metric = duration('time', best(2), atMost(2))
    const { toBest, toSpecial, verdicts } = compare(rowOf(metric), metric, results, labels)
    expect([toBest, toSpecial]).toEqual([2, 4])
    expect(verdicts).toEqual([true, true])
  })

  test('says nothing where a peer or we are missing', () => {
    const metric = rate('requests', best(2), atMost(10))
    const alone = compare(rowOf(metric), metric, [result('us', 2)], labels)
    expect(alone.toBest).toBeNaN()
    expect(alone.verdicts).toEqual([null, false])
    const without = compare(rowOf(metric), metric, [result('a', 2), result('us')], labels)
    expect(without.verdicts).toEqual([null, null])
  })
})
