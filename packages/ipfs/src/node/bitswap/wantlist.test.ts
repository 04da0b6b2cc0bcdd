import { encodeCid, formatCid } from '@openregistry/dag'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wantlistMessage, type WrittenWant } from '@openregistry/testkit'
import { BitswapError } from './bitswap-error.ts'
import { isFullWantlist, wantlistEntries } from './wantlist.ts'

const cids = fc.record({
  version: fc.constantFrom(0 as const, 1 as const),
  digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})
const wants: fc.Arbitrary<WrittenWant> = fc.record({
  cid: cids.map(({ version, digest }) => encodeCid({ version, codec: 0x70, hash: 0x12, digest })),
  priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  cancel: fc.boolean(),
  type: fc.constantFrom('have' as const, 'block' as const),
  sendDontHave: fc.boolean(),
})

describe('a wantlist', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(wants, { maxLength: 50 }), fc.boolean(), (written, full) => {
        const message = wantlistMessage(written, { full })
        expect(isFullWantlist(message)).toBe(full)
        const read = [...wantlistEntries(message)]
        expect(read.map(({ cid }) => Buffer.from(cid))).toEqual(written.map(({ cid }) => Buffer.from(cid)))
        read.forEach((entry, at) => {
          const { cancel, type, sendDontHave } = written[at]!
          expect(entry.cancel).toBe(cancel)
          if (!entry.cancel) expect([entry.type, entry.sendDontHave]).toEqual([type, sendDontHave])
        })
      }),
    )
  })

  test('of any bytes is read to its end, or is none: it neither hangs nor fails in another way', () => {
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      // Something that was a wantlist.
      fc
        .tuple(fc.array(wants, { minLength: 1, maxLength: 5 }), fc.nat(), fc.integer({ min: 0, max: 255 }))
        .map(([written, at, byte]) => {
          const bytes = wantlistMessage(written)
          bytes[at % bytes.length] = byte
          return bytes.subarray(0, byte % 2 === 0 ? bytes.length : at % bytes.length)
        }),
    )
    fc.assert(
      fc.property(message, (bytes) => {
        try {
          isFullWantlist(bytes)
          for (const entry of wantlistEntries(bytes)) expect(entry.cid.length).toBeLessThanOrEqual(160)
        } catch (error) {
          expect(error).toBeInstanceOf(BitswapError)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['groups, which nest without end', Uint8Array.from({ length: 100_000 }, () => (1 << 3) | 3)],
    ['a length beyond its end', Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['a want without a CID', wantlistMessage([{ cid: new Uint8Array() }])],
    ['a CID that is none', wantlistMessage([{ cid: Uint8Array.of(9, 9, 9) }])],
    ['a CID that is too long', wantlistMessage([{ cid: new Uint8Array(1000) }])],
    [
      'more than a CID',
      wantlistMessage([
        {
          cid: Buffer.concat([
            encodeCid({ version: 1, codec: 0x55, hash: 0x12, digest: new Uint8Array(32) }),
            Buffer.alloc(1),
          ]),
        },
      ]),
    ],
  ])('with %s is none', (_, message) => {
    expect(() => [...wantlistEntries(message)]).toThrow(BitswapError)
  })

  test('keeps nothing of its message in memory', () => {
    const cid = encodeCid({ version: 1, codec: 0x55, hash: 0x12, digest: new Uint8Array(32).fill(3) })
    const message = wantlistMessage([{ cid }])
    const [entry] = [...wantlistEntries(message)]
    message.fill(0)
    if (entry === undefined || entry.cancel) throw new Error('There is no want.')
    expect(formatCid(entry.parts)).toBe(
      formatCid({ version: 1, codec: 0x55, hash: 0x12, digest: new Uint8Array(32).fill(3) }),
    )
    expect(entry.cid.buffer).not.toBe(message.buffer)
  })
})
