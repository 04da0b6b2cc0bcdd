import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as multihash from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'
import { cidParts, decodeCid, encodeCid, formatCid } from './cid-parts.ts'
import { CidError, parseCid } from './cid.ts'

const digest = fc.uint8Array({ maxLength: 128 })
const code = fc.nat({ max: 0x10_0000 })
const anyCid = fc
  .tuple(code, code, digest)
  .map(([codec, hash, bytes]) => CID.createV1(codec, multihash.create(hash, bytes)))

describe('decodeCid', () => {
  test('takes apart what multiformats made, and what comes behind is not touched', () => {
    fc.assert(
      fc.property(anyCid, fc.uint8Array({ maxLength: 9 }), (made, rest) => {
        const { cid, size } = decodeCid(Uint8Array.from([...made.bytes, ...rest]))
        expect(size).toBe(made.bytes.length)
        expect(cid).toEqual({
          version: 1,
          codec: made.code,
          hash: made.multihash.code,
          digest: made.multihash.digest,
        })
        expect(encodeCid(cid)).toEqual(made.bytes)
        expect(formatCid(cid)).toBe(made.toString())
        expect(cidParts(parseCid(made.toString()))).toEqual(cid)
      }),
    )
  })

  test('keeps version 0 as it is', () => {
    const old = CID.parse('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG')
    const { cid, size } = decodeCid(old.bytes)
    expect({ version: cid.version, size }).toEqual({ version: 0, size: 34 })
    expect(encodeCid(cid)).toEqual(old.bytes)
    expect(formatCid(cid)).toBe(old.toV1().toString())
  })

  test('answers any bytes with a CID or CidError, and agrees with multiformats', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          const { cid, size } = decodeCid(bytes)
          expect(encodeCid(cid)).toEqual(CID.decodeFirst(bytes)[0].bytes)
          expect(size).toBe(encodeCid(cid).length)
        } catch (error) {
          expect(error).toBeInstanceOf(CidError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['nothing', []],
    ['version 2', [2, 0x55, 0x12, 0]],
    ['a digest that ends early', [1, 0x55, 0x12, 0x20, 1, 2, 3]],
    ['version 0 that ends early', [0x12, 0x20, 1, 2, 3]],
    ['a codec that is longer than needed', [1, 0xd5, 0, 0x12, 0]],
    ['a digest of 129 bytes', [1, 0x55, 0, 0x81, 1, ...new Uint8Array(129)]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeCid(Uint8Array.from(bytes))).toThrow(CidError)
  })
})
