import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Latencies, median, percentile, rotate } from './statistics.ts'

describe('median', () => {
  test('of an odd number is the middle one, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5)
  })
  test('of an even number is the mean of the middle two', () => {
    expect(median([4, 1, 2, 100])).toBe(3)
  })
  test('of nothing is not a number', () => {
    expect(median([])).toBeNaN()
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  test('takes the nearest rank', () => {
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 1)).toBe(100)
    expect(percentile(hundred, 0)).toBe(1)
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([1, 2, 3], 0.5)).toBe(2)
  })
  test('of nothing is not a number', () => {
    expect(percentile([], 0.5)).toBeNaN()
  })
})

describe('rotate', () => {
  test('gives every item every place once in as many rounds as there are items', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 6 }), (items) => {
        const rounds = items.map((_, round) => rotate(items, round))
        for (let place = 0; place < items.length; place++) {
          expect(new Set(rounds.map((round) => round[place]))).toEqual(new Set(items))
        }
      }),
    )
  })
  test('of nothing is nothing', () => {
    expect(rotate([], 3)).toEqual([])
  })
})

describe('Latencies', () => {
  test('keeps all values beyond its first size', () => {
    const latencies = new Latencies()
    for (let value = 10_000; value >= 1; value--) latencies.add(value)
    expect(latencies.summary()).toEqual({ count: 10_000, p50: 5000, p99: 9900 })
  })
})
