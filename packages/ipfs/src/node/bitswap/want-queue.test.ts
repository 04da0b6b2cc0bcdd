import { expect, test } from 'vitest'
import { WantQueue } from './want-queue.ts'
import type { Want } from './wantlist.ts'

const { signal } = new AbortController()

function want(byte: number, more: Partial<Want> = {}): Want {
  const digest = new Uint8Array(32).fill(byte)
  const parts = { version: 1, codec: 0x55, hash: 0x12, digest } as const
  return {
    cid: Uint8Array.of(1, 0x55, 0x12, 32, ...digest),
    parts,
    type: 'block',
    sendDontHave: false,
    ...more,
  }
}

/** Takes everything, as the last bytes of the CIDs. */
function rest(queue: WantQueue): (number | undefined)[] {
  const found: (number | undefined)[] = []
  for (let next = queue.take(); next !== null; next = queue.take()) found.push(next.cid.at(-1))
  return found
}

test('gives the oldest first, each once, without what was cancelled', async () => {
  const queue = new WantQueue(10)
  for (const byte of [1, 2, 3, 1, 4]) await queue.add(want(byte), signal)
  queue.cancel(want(3).cid)
  expect(rest(queue)).toEqual([1, 2, 4])
  expect(queue.isEmpty).toBe(true)
})

test('what is asked twice is answered so that both are', async () => {
  const queue = new WantQueue(10)
  await queue.add(want(1, { type: 'have', sendDontHave: true }), signal)
  await queue.add(want(1), signal)
  await queue.add(want(1, { type: 'have' }), signal)
  expect(queue.take()).toMatchObject({ type: 'block', sendDontHave: true })
})

test('takes no more than its limit: others wait, and one that leaves does not disturb them', async () => {
  const queue = new WantQueue(2)
  const leaving = new AbortController()
  for (const byte of [1, 2]) await queue.add(want(byte), signal)
  await queue.add(want(2), signal)
  const left = queue.add(want(3), leaving.signal)
  const waiting = queue.add(want(4), signal)
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  const later = queue.add(want(5), signal)
  expect(queue.take()?.cid.at(-1)).toBe(1)
  await waiting
  expect(queue.take()?.cid.at(-1)).toBe(2)
  await later
  expect(rest(queue)).toEqual([4, 5])
  await expect(queue.add(want(6), leaving.signal)).rejects.toThrow('gone')
})
