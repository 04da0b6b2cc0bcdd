import { expect, test } from 'vitest'
import { mostParts, partSizeOf } from './part-size.ts'

const mebi = 1024 ** 2
const tebi = 1024 ** 4

/** Bytes in so many parts. */
function total(parts: number, configured: number): number {
  let sum = 0
  for (let number = 1; number <= parts; number++) sum += partSizeOf(number, configured)
  return sum
}

test('parts are as configured until there are many, and then suffice for the largest object that S3 takes', () => {
  expect([1, 2, 1000, 1001, 2001].map((number) => partSizeOf(number, 8 * mebi) / mebi)).toEqual([
    8, 8, 8, 16, 32,
  ])
  for (const configured of [5 * mebi, 8 * mebi, 64 * mebi]) {
    expect(total(mostParts, configured)).toBeGreaterThan((configured < 8 * mebi ? 4.8 : 5) * tebi)
    for (let number = 1; number <= mostParts; number++) {
      expect(partSizeOf(number, configured)).toBeLessThanOrEqual(5 * 1024 * mebi)
    }
  }
})

test('what is held of an object is a small share of it', () => {
  for (let number = 1001; number <= mostParts; number += 333) {
    expect(partSizeOf(number, 8 * mebi)).toBeLessThan(total(number, 8 * mebi) / 300)
  }
})
