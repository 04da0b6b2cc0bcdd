import { createHash, createHmac, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { OffLoopSha256 } from './off-loop-sha256.ts'

test.each([0, 1, 100_000, 128 * 1024, 5_000_001])(
  'SHA-256 of %i bytes, at once and in pieces',
  async (size) => {
    const bytes = randomBytes(size)
    const expected = createHash('sha256').update(bytes).digest('hex')
    const [one, pieces, view] = [new OffLoopSha256(), new OffLoopSha256(), new OffLoopSha256()]
    one.update(bytes)
    pieces.update(bytes.subarray(0, 7))
    pieces.update(bytes.subarray(7))
    view.update(new Uint8Array(Buffer.concat([Buffer.alloc(3), bytes]).buffer, 0).subarray(0, 0))
    view.reset()
    view.update(Buffer.concat([randomBytes(5), bytes]).subarray(5))
    for (const hash of [one, pieces, view]) {
      expect(Buffer.from(await hash.digest()).toString('hex')).toBe(expected)
    }
  },
)

test('with a secret it is an HMAC, of text too', async () => {
  const hash = new OffLoopSha256('sécret')
  hash.update('what was säid')
  expect(await hash.digest()).toEqual(createHmac('sha256', 'sécret').update('what was säid').digest())
  const large = new OffLoopSha256(Buffer.from('key'))
  const bytes = randomBytes(200_000)
  large.update(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  expect(await large.digest()).toEqual(createHmac('sha256', 'key').update(bytes).digest())
})
