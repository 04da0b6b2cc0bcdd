import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { MetadataStore } from '../../ports/metadata-store.ts'
import { ClaimedBatch } from './claimed-batch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Writes down what a batch asks of the database. */
function watched(): { metadata: MetadataStore; asked: unknown[] } {
  const asked: unknown[] = []
  const names = ['renewLocationClaims', 'recordVerified', 'releaseLocations']
  const methods = names.map((name) => [
    name,
    async ({ ids }: { ids: number[] }) => void asked.push([name, [...ids]]),
  ])
  return { metadata: Object.fromEntries(methods) as MetadataStore, asked }
}

test('claims are renewed in time, for what is left', async () => {
  const { metadata, asked } = watched()
  const batch = new ClaimedBatch(metadata, 'claim', [1, 2, 3], 9000)
  vi.advanceTimersByTime(2999)
  await batch.keep()
  expect(asked).toStrictEqual([])
  batch.settled(2)
  vi.advanceTimersByTime(1)
  await batch.keep()
  await batch.keep()
  expect(asked).toStrictEqual([['renewLocationClaims', [1, 3]]])
})

test('verdicts are recorded together, soon, and before a claim is renewed', async () => {
  const { metadata, asked } = watched()
  const batch = new ClaimedBatch(metadata, 'claim', [1, 2, 3, 4], 9000)
  await batch.verified(1)
  await batch.verified(2)
  expect(asked).toStrictEqual([])
  vi.advanceTimersByTime(1000)
  await batch.verified(3)
  expect(asked.splice(0)).toStrictEqual([['recordVerified', [1, 2, 3]]])
  await batch.verified(4)
  vi.advanceTimersByTime(3000)
  await batch.keep()
  expect(asked).toStrictEqual([
    ['recordVerified', [4]],
    ['renewLocationClaims', []],
  ])
})

test('what was not looked at is given back in the end', async () => {
  const { metadata, asked } = watched()
  {
    await using batch = new ClaimedBatch(metadata, 'claim', [1, 2, 3], 9000)
    await batch.verified(1)
    batch.settled(2)
  }
  expect(asked).toStrictEqual([
    ['recordVerified', [1]],
    ['releaseLocations', [3]],
  ])
  {
    await using empty = new ClaimedBatch(metadata, 'claim', [], 9000)
    await empty.keep()
  }
  expect(asked).toHaveLength(2)
})
