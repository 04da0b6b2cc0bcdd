import { expect, test } from 'vitest'
import { ReadBuffers, smallestBuffer } from './read-buffers.ts'

const mebi = 1024 * 1024

test('a few readers have what they want', () => {
  const buffers = new ReadBuffers(64 * mebi)
  for (let reader = 0; reader < 16; reader++) expect(buffers.take(mebi).length).toBe(mebi)
  expect(buffers.scarce).toBe(false)
})

test('a size is rounded up to one that others can use again', () => {
  const buffers = new ReadBuffers(64 * mebi)
  expect(buffers.take(1).length).toBe(smallestBuffer)
  expect(buffers.take(smallestBuffer + 1).length).toBe(2 * smallestBuffer)
})

test('a thousand readers have small ones, and little more than the bound together', () => {
  const buffers = new ReadBuffers(64 * mebi)
  for (let reader = 0; reader < 1000; reader++) {
    buffers.take(mebi)
    if (!buffers.scarce) buffers.take(mebi)
  }
  expect(buffers.lent).toBeLessThan(64 * mebi + 1000 * smallestBuffer)
  expect(buffers.scarce).toBe(true)
})

test('a buffer is lent again after it was given back, and never while somebody has it', () => {
  const buffers = new ReadBuffers(64 * mebi)
  const [first, second] = [buffers.take(mebi), buffers.take(mebi)]
  expect(second).not.toBe(first)
  buffers.give(first)
  expect(buffers.take(mebi)).toBe(first)
  buffers.forget(first)
  expect(buffers.take(mebi)).not.toBe(first)
})

test('what is kept for later is bounded too', () => {
  const buffers = new ReadBuffers(4 * mebi)
  const lent = Array.from({ length: 40 }, () => buffers.take(1))
  for (const buffer of lent) buffers.give(buffer)
  expect(buffers.lent).toBe(0)
  const again = new Set(Array.from({ length: 40 }, () => buffers.take(1)))
  expect(lent.filter((buffer) => again.has(buffer))).toHaveLength(16)
})
