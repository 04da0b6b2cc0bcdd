import { expect, test } from 'vitest'
import { copyUntilWhole } from './copy-until-whole.ts'

/** A registry whose database names `rows[n]` when it is taken for the nth time, and whose store has `store[n]` then. */
async function copyOf(rows: string[][], store: string[][]) {
  let taken = -1
  const target = new Set<string>()
  const copied = await copyUntilWhole({
    takeDatabase: async () => void taken++,
    namedObjects: () => (rows[taken] ?? rows.at(-1) ?? []).map((key) => ({ key, size: 10 })),
    copyObject: async (key) => {
      if (target.has(key)) return 'there'
      if (!(store[taken] ?? store.at(-1) ?? []).includes(key)) return 'missing'
      target.add(key)
      return 'linked'
    },
  })
  return { ...copied, taken: taken + 1, target: [...target] }
}

test('once is enough while nothing goes', async () => {
  expect(await copyOf([['a', 'b']], [['a', 'b', 'c']])).toEqual({
    linked: 2,
    copied: 0,
    size: 20,
    missing: [],
    taken: 1,
    target: ['a', 'b'],
  })
})

test('what was deleted after its row makes the database be taken again', async () => {
  // `b` goes while the first copy is made; `c` has come since, and goes in turn.
  const rows = [
    ['a', 'b'],
    ['a', 'c'],
    ['a', 'd'],
  ]
  const store = [['a'], ['a'], ['a', 'd']]
  expect(await copyOf(rows, store)).toMatchObject({ missing: [], taken: 3, target: ['a', 'd'], linked: 2 })
})

test('what is missing twice is lost; everything else is there', async () => {
  expect(await copyOf([['a', 'lost', 'b']], [['a', 'b']])).toMatchObject({
    missing: ['lost'],
    taken: 2,
    target: ['a', 'b'],
  })
})

test('it ends, however fast things come and go', async () => {
  const rows = Array.from({ length: 100 }, (_, index) => [`${index}`])
  expect(await copyOf(rows, [[]])).toMatchObject({ missing: ['9'], taken: 10 })
})
