import * as dagPb from '@ipld/dag-pb'
import fc from 'fast-check'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { encodeDagPb } from './dag-pb.ts'
import { NodeError } from './node-error.ts'
import { decodeUnixfs, shardData } from './unixfs-data.ts'

const hash = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')

function nodeOf(data: UnixFS | Uint8Array, children = 0): Uint8Array {
  const Links = Array.from({ length: children }, () => ({ Hash: hash, Name: '', Tsize: 0 }))
  return dagPb.encode({ Data: data instanceof UnixFS ? data.marshal() : data, Links })
}

describe('decodeUnixfs', () => {
  test('reads files as another implementation writes them', () => {
    // Its encoder writes 2^31 wrong, so all sizes together are less.
    const sizes = fc.array(fc.nat({ max: 2 ** 27 }), { maxLength: 10 })
    fc.assert(
      fc.property(
        sizes,
        fc.uint8Array({ maxLength: 30 }),
        fc.constantFrom('file', 'raw'),
        (blockSizes, data, type) => {
          const file = new UnixFS({ type, data, blockSizes: blockSizes.map(BigInt) })
          const node = decodeUnixfs(nodeOf(file, blockSizes.length))
          expect(node).toMatchObject({
            kind: 'file',
            size: Number(file.fileSize()),
            data,
            blockSizes,
          })
        },
      ),
    )
  })

  test('knows directories, symbolic links and shards', () => {
    expect(decodeUnixfs(nodeOf(new UnixFS({ type: 'directory' }))).kind).toBe('directory')
    expect(decodeUnixfs(nodeOf(new UnixFS({ type: 'symlink', data: Uint8Array.of(65) }))).kind).toBe(
      'symlink',
    )
    const shard = new UnixFS({
      type: 'hamt-sharded-directory',
      hashType: 0x22n,
      fanout: 256n,
      data: Uint8Array.of(1),
    })
    expect(decodeUnixfs(nodeOf(shard))).toMatchObject({ kind: 'shard', fanout: 256 })
    expect(shardData(Uint8Array.of(1), 256)).toEqual(shard.marshal())
  })

  test('reads block sizes that are packed', () => {
    const node = decodeUnixfs(nodeOf(Uint8Array.of(8, 2, 0x18, 131, 1, 0x22, 3, 129, 1, 2), 2))
    expect(node).toMatchObject({ kind: 'file', size: 131, blockSizes: [129, 2] })
  })

  test.each([
    ['no data', encodeDagPb({ links: [], data: new Uint8Array() })],
    ['data of something else', nodeOf(Uint8Array.of(1, 2, 3))],
    ['a type that nobody knows', nodeOf(Uint8Array.of(8, 9))],
  ])('takes a node with %s for one that is no UnixFS', (_what, bytes) => {
    expect(decodeUnixfs(bytes).kind).toBe('other')
  })

  test.each([
    ['a file with fewer sizes than children', nodeOf(Uint8Array.of(8, 2, 0x18, 0), 1)],
    ['a file whose parts are not its size', nodeOf(Uint8Array.of(8, 2, 0x18, 5, 0x20, 4), 1)],
    ['a shard with an unknown hash', nodeOf(Uint8Array.of(8, 5, 0x28, 0x12, 0x30, 0x80, 2))],
    ['a shard with 100 slots', nodeOf(Uint8Array.of(8, 5, 0x28, 0x22, 0x30, 100))],
    ['a shard with 2048 slots', nodeOf(Uint8Array.of(8, 5, 0x28, 0x22, 0x30, 0x80, 16))],
    ['a shard without slots', nodeOf(Uint8Array.of(8, 5, 0x28, 0x22))],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeUnixfs(bytes)).toThrow(NodeError)
  })

  test('answers any bytes with a node or NodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 3 }), (data, children) => {
        try {
          decodeUnixfs(nodeOf(data, children))
        } catch (error) {
          expect(error).toBeInstanceOf(NodeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
