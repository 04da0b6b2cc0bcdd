import { createHash } from 'node:crypto'
import * as reference from '@ipld/dag-pb'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as multihash from 'multiformats/hashes/digest'
import { describe, expect, test } from 'vitest'
import { cidParts } from './cid-parts.ts'
import { parseCid } from './cid.ts'
import { decodeDagPb, encodeDagPb, type DagPbLink } from './dag-pb.ts'
import { NodeError } from './node-error.ts'

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest()

const link = fc.record({
  Hash: fc
    .tuple(fc.constantFrom(0x55, 0x70, 0x71), fc.string())
    .map(([codec, text]) => CID.createV1(codec, multihash.create(0x12, sha256(text)))),
  Name: fc.string({ unit: 'grapheme', maxLength: 20 }),
  Tsize: fc.maxSafeNat(),
})
const node = fc.record({ Data: fc.uint8Array({ maxLength: 40 }), Links: fc.array(link, { maxLength: 8 }) })

/** What the other decoder says, in our words. */
function asLink({ Hash, Name = '', Tsize = 0 }: reference.PBLink): DagPbLink {
  return { cid: cidParts(parseCid(Hash.toString())), name: Name, size: Tsize }
}

function encodeByReference(value: { Data: Uint8Array; Links: reference.PBLink[] }): Uint8Array {
  return reference.encode(reference.prepare(value))
}

/** The parts of a node, or null when it is refused. */
function decoded(bytes: Uint8Array): { data: Uint8Array | null; links: DagPbLink[] } | null {
  try {
    const { data, links } = decodeDagPb(bytes)
    return { data, links: [...links] }
  } catch (error) {
    if (error instanceof NodeError) return null
    throw error
  }
}

describe('a dag-pb node', () => {
  test('is read as another decoder reads it, and written as another encoder writes it', () => {
    fc.assert(
      fc.property(node, (value) => {
        const bytes = encodeByReference(value)
        const { Data, Links } = reference.decode(bytes)
        const links = Links.map(asLink)
        expect(decoded(bytes)).toEqual({ data: Data, links })
        expect(encodeDagPb({ data: value.Data, links })).toEqual(bytes)
      }),
    )
  })

  test('may have links behind its data, and no data', () => {
    const hash = CID.parse('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG').bytes
    const links = [0x12, hash.length + 2, 0x0a, hash.length, ...hash]
    const old = { cid: expect.objectContaining({ version: 0 }) as unknown, name: '', size: 0 }
    expect(decoded(Uint8Array.from([0x0a, 1, 7, ...links]))).toEqual({ data: Uint8Array.of(7), links: [old] })
    expect(decoded(Uint8Array.from(links))).toEqual({ data: null, links: [old] })
    expect(decoded(new Uint8Array())).toEqual({ data: null, links: [] })
  })

  test('keeps a byte order mark in a name', () => {
    const { cid } = asLink({ Hash: CID.parse('bafkqaaa') })
    const bytes = encodeDagPb({ links: [{ cid, name: '\ufeffname', size: 1 }], data: new Uint8Array() })
    expect(decoded(bytes)?.links[0]?.name).toBe('\ufeffname')
  })

  test('of any bytes is taken only if the other decoder takes it too, for the same', () => {
    const mutated = fc
      .tuple(
        node.map(encodeByReference),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      )
      .map(([good, edits]) => {
        const bytes = Uint8Array.from(good)
        for (const [at, byte] of edits) bytes[at % Math.max(1, bytes.length)] = byte
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const ours = decoded(bytes)
        if (ours === null) return
        // The other one takes a byte order mark out of names.
        const theirs = reference.decode(bytes)
        expect(ours.links.map(({ size }) => size)).toEqual(theirs.Links.map(({ Tsize = 0 }) => Tsize))
        expect(ours.data).toEqual(theirs.Data ?? null)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['data twice', [0x0a, 0, 0x0a, 0]],
    ['a number', [0x08, 1]],
    ['an unknown field', [0x1a, 0]],
    ['an unknown kind of field', [0x0b, 0]],
    ['a field that ends early', [0x0a, 5, 1]],
    ['a link without hash', [0x12, 2, 0x12, 0]],
    ['a hash that is none', [0x12, 3, 0x0a, 1, 1]],
    ['the name before the hash', [0x12, 10, 0x12, 0, 0x0a, 6, 1, 0x55, 0, 2, 1, 2]],
    ['links on both sides of the data', [...emptyLink(), 0x0a, 0, ...emptyLink()]],
  ])('is refused with %s', (_what, bytes) => {
    expect(() => reference.decode(Uint8Array.from(bytes))).toThrow()
    expect(decoded(Uint8Array.from(bytes))).toBeNull()
  })
})

function emptyLink(): number[] {
  return [0x12, 6, 0x0a, 4, 1, 0x55, 0, 0]
}
