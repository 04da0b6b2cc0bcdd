import { encodeCid, maxBlockSize } from '@openregistry/dag'
import { responseMessage } from '@openregistry/testkit'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BitswapError } from './bitswap-error.ts'
import { readAnswers } from './read-answers.ts'

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })
const cids = digests.map((digest) => encodeCid({ version: 1, codec: 0x55, hash: 0x12, digest }))

describe('the answers of a message', () => {
  test('are what was written, by hand', () => {
    const said = fc.record({
      blocks: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
      has: fc.array(cids, { maxLength: 5 }),
      hasNot: fc.array(cids, { maxLength: 5 }),
    })
    fc.assert(
      fc.property(said, ({ blocks, has, hasNot }) => {
        const answers = [...readAnswers(responseMessage({ blocks, has, hasNot }))]
        expect(answers.flatMap((one) => ('block' in one ? [new Uint8Array(one.block)] : []))).toEqual(blocks)
        const presences = answers.flatMap((one) => ('parts' in one ? [one] : []))
        expect(presences.map((one) => [new Uint8Array(encodeCid(one.parts)), one.has])).toEqual([
          ...has.map((cid) => [new Uint8Array(cid), true]),
          ...hasNot.map((cid) => [new Uint8Array(cid), false]),
        ])
      }),
    )
  })

  test('of any bytes are read to the end, or there are none: it neither hangs nor fails in another way', () => {
    const broken = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(cids, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([cid, at, byte]) => {
        const bytes = responseMessage({ blocks: [cid], has: [cid], hasNot: [cid] })
        bytes[at % bytes.length] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(broken, (bytes) => {
        try {
          for (const answer of readAnswers(bytes)) {
            if ('block' in answer) expect(answer.block.length).toBeLessThanOrEqual(maxBlockSize)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(BitswapError)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['a block that is too long', responseMessage({ blocks: [new Uint8Array(maxBlockSize + 1)] })],
    ['a presence of nothing', Uint8Array.of((4 << 3) | 2, 0)],
    ['a presence of a CID that is none', responseMessage({ has: [Uint8Array.of(9, 9)] })],
  ])('have no %s', (_, message) => {
    expect(() => [...readAnswers(message)]).toThrow(BitswapError)
  })
})
