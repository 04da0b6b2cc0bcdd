import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createContentHasher } from './content-hasher.ts'

test('hashes two leaves and a bit', async () => {
  await using hasher = createContentHasher()
  using run = hasher.begin({ sha512: true })
  const whole = createHash('sha256')
  for (const [fill, length] of [
    [1, 1048576],
    [2, 1048576],
    [3, 17],
  ] as const) {
    const piece = hasher.acquire()
    piece.fill(fill)
    whole.update(piece.subarray(0, length))
    await run.update(piece.subarray(0, length))
    hasher.release(piece)
  }
  const hashes = await run.finish()
  expect(hashes.size).toBe(2 * 1048576 + 17)
  expect(Buffer.from(hashes.sha256).toString('hex')).toBe(whole.digest('hex'))
  expect(hashes.leaves).toHaveLength(96)
})
