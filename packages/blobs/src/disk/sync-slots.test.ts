import { expect, test } from 'vitest'
import { SyncSlots } from './sync-slots.ts'

/** Syncs that end when the test says so. */
function manualSyncs(): { sync: () => Promise<void>; begun: PromiseWithResolvers<void>[] } {
  const begun: PromiseWithResolvers<void>[] = []
  const sync = (): Promise<void> => {
    const one = Promise.withResolvers<void>()
    begun.push(one)
    return one.promise
  }
  return { sync, begun }
}

const everythingElse = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('no more than the limit at once, in the order of the calls', async () => {
  const slots = new SyncSlots(2)
  const { sync, begun } = manualSyncs()
  const ended: number[] = []
  const runs = [0, 1, 2, 3].map((index) => slots.run(sync).then(() => ended.push(index)))
  await everythingElse()
  expect(begun).toHaveLength(2)
  begun[1]?.resolve()
  await everythingElse()
  expect(begun).toHaveLength(3)
  expect(ended).toEqual([1])
  begun[0]?.resolve()
  await everythingElse()
  begun[3]?.resolve()
  begun[2]?.resolve()
  await Promise.all(runs)
  expect(begun).toHaveLength(4)
})

test('a sync that fails gives its slot back', async () => {
  const slots = new SyncSlots(1)
  const broken = new Error('EIO')
  await expect(slots.run(() => Promise.reject(broken))).rejects.toBe(broken)
  await slots.run(() => Promise.resolve())
})

test.each([
  { limit: 1, possible: 1 },
  { limit: 2, possible: 1 },
  { limit: 4, possible: 3 },
])('what can wait leaves a slot: $possible of $limit', async ({ limit, possible }) => {
  const slots = new SyncSlots(limit)
  const { sync, begun } = manualSyncs()
  const running: Promise<void>[] = []
  for (let one = slots.runIfIdle(sync); one !== null; one = slots.runIfIdle(sync)) running.push(one)
  expect(running).toHaveLength(possible)
  for (const one of begun) one.resolve()
  await Promise.all(running)
  const again = slots.runIfIdle(() => Promise.resolve())
  expect(again).not.toBeNull()
  await again
})
