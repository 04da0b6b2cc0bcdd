import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { CidError, dagPbCid, emptyCid, parseCid, rawCid } from './cid.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

const bases = [base32, base36, base58btc, base16, base64url, base32upper, base36upper, base16upper]

/** What the parser says to a text: the CID, or the name of its refusal. */
function answer(text: string): string {
  try {
    return parseCid(text)
  } catch (error) {
    if (error instanceof CidError) return error.name
    throw error
  }
}

describe('rawCid and dagPbCid', () => {
  test('are the CIDs that multiformats makes', () => {
    fc.assert(
      fc.property(hash, (sha256) => {
        const digest = Uint8Array.from([0x12, 0x20, ...sha256])
        expect(rawCid(sha256)).toBe(base32.encode(Uint8Array.from([1, 0x55, ...digest])))
        expect(dagPbCid(sha256)).toBe(base32.encode(Uint8Array.from([1, 0x70, ...digest])))
      }),
    )
  })

  test('of nothing is emptyCid', () => {
    expect(rawCid(createHash('sha256').digest())).toBe(emptyCid)
    expect(emptyCid).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
  })

  test('need 32 bytes', () => {
    expect(() => rawCid(new Uint8Array(31))).toThrow(RangeError)
    expect(() => dagPbCid(new Uint8Array(64))).toThrow(RangeError)
  })
})

describe('parseCid', () => {
  test('gives one text for every way to write a CID', () => {
    const known = 'bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf47mvof4'
    expect(parseCid(known)).toBe(known)
    expect(parseCid('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG')).toBe(known)
    fc.assert(
      fc.property(hash, fc.constantFrom(rawCid, dagPbCid), (sha256, make) => {
        const wanted = make(sha256)
        const parsed = CID.parse(wanted)
        for (const base of bases) expect(parseCid(parsed.toString(base))).toBe(wanted)
      }),
    )
  })

  test('takes other codecs and hashes', () => {
    expect(parseCid('bafkqaaa')).toBe('bafkqaaa')
    expect(parseCid('k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8')).toMatch(/^bafzaaj/)
  })

  test.each([
    '',
    'b',
    'bafk',
    'latest',
    'Qm',
    `${emptyCid}==`,
    `${emptyCid}a`,
    emptyCid.slice(0, -1),
    `u${emptyCid.slice(1)}+`,
    ` ${emptyCid}`,
    `${emptyCid}\n`,
    `/ipfs/${emptyCid}`,
    base32.encode(Uint8Array.from([1, 0xd5, 0, 0x12, 0x20, ...new Uint8Array(32)])), // a codec that is not minimal
    'b'.repeat(513),
  ])('refuses %j', (text) => {
    expect(() => parseCid(text)).toThrow(CidError)
  })

  test('answers any text with a CID or CidError', () => {
    const near = fc.uint8Array({ maxLength: 40 }).map((bytes) => base32.encode(bytes))
    const nearer = hash.map((bytes) => base32.encode(Uint8Array.from([1, ...bytes])))
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), near, nearer, fc.stringMatching(/^[bkz1Q][a-z0-9]{0,60}$/)),
        (text) => {
          const cid = answer(text)
          expect(cid === 'CidError' || parseCid(cid) === cid).toBe(true)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
