import { expect, test } from 'vitest'
import { ByteBudget, type ByteLease } from './byte-budget.ts'

test('never gives more than there is, in the order in which it was asked for', async () => {
  const budget = new ByteBudget(10)
  const first = await budget.take(8)
  const granted: string[] = []
  const take = async (name: string, bytes: number): Promise<ByteLease> => {
    const lease = await budget.take(bytes)
    granted.push(name)
    return lease
  }
  const large = take('large', 6)
  const small = take('small', 1)
  first.keep(5)
  await Promise.resolve()
  expect(granted).toEqual([])
  first.keep(4)
  using _ = await large
  expect(granted).toEqual(['large'])
  first[Symbol.dispose]()
  // Twice gives nothing twice.
  first[Symbol.dispose]()
  using __ = await small
  using ___ = await budget.take(3)
  const none = budget.take(1)
  expect(await Promise.race([none, Promise.resolve('waits')])).toBe('waits')
})

test('more than there is at all is refused, or it would wait for ever', async () => {
  await expect(new ByteBudget(10).take(11)).rejects.toThrow(RangeError)
})
