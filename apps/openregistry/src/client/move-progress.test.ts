import type { MoveFacts } from '@openregistry/sdk'
import { expect, test } from 'vitest'
import { describeMove } from './move-progress.ts'

const mebi = 1024 * 1024
const running: MoveFacts = {
  backend: 'disk',
  state: 'running',
  requestedBy: 'operator',
  rate: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  total: { blobs: 10, bytes: 100 * mebi },
  done: { blobs: 3, bytes: 20 * mebi },
  underWay: 10 * mebi,
  error: null,
}
const start = { bytes: 10 * mebi, at: 0 }

test('says how much, how fast, and how long', () => {
  expect(describeMove(running, start, 2000)).toBe('3 of 10 blobs, 30.0 MiB of 100 MiB, 10.0 MiB/s, 7 s left')
})

test('says no more than it knows', () => {
  expect(describeMove({ ...running, total: null }, start, 1000)).toBe('Moving to disk: 3 blobs so far')
  expect(describeMove(running, start, 0)).toBe('3 of 10 blobs, 30.0 MiB of 100 MiB, 0 B/s')
})

test('what came meanwhile makes it longer, not more than all', () => {
  const more = { ...running, done: { blobs: 12, bytes: 120 * mebi }, underWay: 0 }
  expect(describeMove(more, start, 1000)).toContain('12 of 12 blobs, 120 MiB of 120 MiB')
})

test('says what went wrong, and that it goes on', () => {
  expect(describeMove({ ...running, error: 'The storage has no space left.' }, start, 1000)).toBe(
    'It will be tried again: The storage has no space left.',
  )
})
