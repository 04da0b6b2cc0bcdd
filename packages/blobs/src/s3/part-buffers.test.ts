import { expect, test } from 'vitest'
import { PartBuffers } from './part-buffers.ts'

const mebi = 1024 ** 2

test('everybody gets one, more only below the bound', () => {
  const buffers = new PartBuffers(20 * mebi)
  const taken = [buffers.take(8 * mebi), buffers.take(8 * mebi)]
  expect(buffers.takeSpare(8 * mebi)).toBeNull()
  taken.push(buffers.take(8 * mebi))
  expect(buffers.lent).toBe(24 * mebi)
  for (const buffer of taken) {
    expect(buffer.length).toBe(8 * mebi)
    buffers.give(buffer)
  }
  expect(buffers.lent).toBe(0)
  expect(buffers.takeSpare(16 * mebi)?.length).toBe(16 * mebi)
})

test('one part is kept for the next upload, if that has parts of its size', () => {
  const buffers = new PartBuffers(0)
  const [one, two, three] = [buffers.take(8 * mebi), buffers.take(8 * mebi), buffers.take(8 * mebi)]
  for (const buffer of [one, two, three]) buffers.give(buffer)
  expect(buffers.take(4 * mebi)).not.toBe(one)
  const again = [buffers.take(8 * mebi), buffers.take(8 * mebi), buffers.take(8 * mebi)]
  expect(again[0]).toBe(one)
  expect(again).not.toContain(two)
  expect(again).not.toContain(three)
})
