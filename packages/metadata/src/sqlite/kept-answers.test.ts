import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeptAnswers } from './kept-answers.ts'

test('an answer is good until something was written', () => {
  const kept = new KeptAnswers()
  kept.begin(1)
  kept.keep('a', 'one', 10)
  kept.begin(1)
  expect(kept.get('a')).toBe('one')
  kept.begin(2)
  expect(kept.get('a')).toBeUndefined()
  // A number that comes back later says nothing of what was in between.
  kept.begin(1)
  expect(kept.get('a')).toBeUndefined()
  expect([kept.hits, kept.misses]).toStrictEqual([1, 2])
})

test('memory is bounded, whatever the answers are', () => {
  const mebi = 2 ** 20
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 * mebi }), { minLength: 1, maxLength: 400 }),
      (sizes) => {
        const kept = new KeptAnswers()
        for (const [index, size] of sizes.entries()) {
          kept.keep(`${index}`, size, size)
          if (index % 3 === 0) kept.get(`${Math.floor(index / 2)}`)
        }
        const held = sizes.filter((size, index) => kept.get(`${index}`) === size)
        // Two generations; asking for all has moved some of them from one to the other.
        expect(held.filter((size) => size > 0.4 * mebi)).toStrictEqual([])
        expect(held.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(24 * mebi)
      },
    ),
  )
})

test('what is asked for again stays, what is not goes', () => {
  const kept = new KeptAnswers()
  kept.keep('often', 'here', 1000)
  for (let index = 0; index < 100_000; index++) {
    kept.keep(`once ${index}`, index, 1000)
    if (index % 1000 === 0) expect(kept.get('often')).toBe('here')
  }
  expect(kept.get('once 0')).toBeUndefined()
  expect(kept.get('once 99999')).toBe(99_999)
})
