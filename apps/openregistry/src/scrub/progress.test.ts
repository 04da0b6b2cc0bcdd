import { expect, test } from 'vitest'
import { ScrubProgress } from './progress.ts'

const mebi = 1024 * 1024

function progress(totals: { objects: number; bytes: number } | null, isTTY = true) {
  const written: string[] = []
  const time = { at: 0 }
  const output = { isTTY, write: (text: string) => written.push(text) }
  return { line: new ScrubProgress(totals, output, () => time.at), written, time }
}

test('says how much, how fast and how long', () => {
  const { line, time } = progress({ objects: 10, bytes: 100 * mebi })
  time.at = 2000
  line.read(40 * mebi)
  line.verified()
  expect(line.line()).toBe('1 of 10 objects, 40.0 MiB of 100 MiB, 20.0 MiB/s, 3 s left')
  time.at = 1_000_000
  expect(line.line()).toBe('1 of 10 objects, 40.0 MiB of 100 MiB, 41.0 KiB/s, 25 min left')
  time.at = 10_000_000
  expect(line.line()).toContain('4.2 h left')
})

test('says no more than it knows', () => {
  const { line, time } = progress(null)
  expect(line.line()).toBe('0 objects, 0 B, 0 B/s')
  time.at = 1000
  line.read(mebi)
  expect(line.line()).toBe('0 objects, 1.0 MiB, 1.0 MiB/s')
})

test('is one line on a terminal, drawn now and then, and gone in the end', () => {
  const { line, written, time } = progress(null)
  line.read(1)
  line.read(1)
  time.at = 250
  line.verified()
  line.end()
  expect(written).toHaveLength(3)
  expect(written[1]?.startsWith('\r\u001b[K1 objects')).toBe(true)
  expect(written[2]).toBe('\r\u001b[K')
})

test('is nothing where there is no terminal', () => {
  const { line, written } = progress(null, false)
  line.read(1)
  line.end()
  expect(written).toStrictEqual([])
})
