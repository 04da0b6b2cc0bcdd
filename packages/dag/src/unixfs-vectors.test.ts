import { createCipheriv, createHash } from 'node:crypto'
import type { Cipheriv } from 'node:crypto'
import { MemoryBlockstore } from 'blockstore-core/memory'
import fc from 'fast-check'
import { importBytes } from 'ipfs-unixfs-importer'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { unixfsLeafSize as leafSize, unixfsLevels } from './unixfs-shape.ts'
import { unixfsDagSize, unixfsNode, unixfsTree } from './unixfs-tree.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte

/** Tests of Kubo: ChaCha20 over zeros, its key the SHA-256 of a seed, its nonce zero. */
function chacha20(seed: string): Cipheriv {
  return createCipheriv('chacha20', sha256(Buffer.from(seed)), new Uint8Array(16))
}

/** `openssl enc -aes-128-ctr -K 000102…0f -iv 00…00` over zeros; what Kubo 0.43 said about it. */
function aes128(): Cipheriv {
  return createCipheriv(
    'aes-128-ctr',
    Uint8Array.from({ length: 16 }, (_, i) => i),
    new Uint8Array(16),
  )
}

/** CIDs of the first bytes of a key stream, at each of the sizes, in one pass. */
function cidsOf(stream: Cipheriv, sizes: number[]): Record<number, string> {
  const zeros = new Uint8Array(leafSize)
  const leaves: Uint8Array[] = []
  const cids: Record<number, string> = {}
  for (let start = 0; start < Math.max(...sizes); start += leafSize) {
    const piece = stream.update(zeros)
    for (const size of sizes.filter((end) => start < end && end <= start + leafSize)) {
      const last = sha256(piece.subarray(0, size - start))
      cids[size] = unixfsTree({ size, sha256: last, leaves: Buffer.concat([...leaves, last]) }, sha256).cid
    }
    leaves.push(sha256(piece))
  }
  return cids
}

describe('published vectors', () => {
  test('of IPIP-499, one leaf and a byte more', () => {
    expect(cidsOf(chacha20('chunk-v1-seed'), [mebibyte, mebibyte + 1])).toEqual({
      [mebibyte]: 'bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta',
      [mebibyte + 1]: 'bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64',
    })
  })

  test('of IPIP-499, one full node and a byte more', { timeout: 60_000 }, () => {
    expect(cidsOf(chacha20('v1-2025-seed'), [gibibyte, gibibyte + 1])).toEqual({
      [gibibyte]: 'bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm',
      [gibibyte + 1]: 'bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe',
    })
  })

  test('of Kubo, from a byte to 1.5 GiB', { timeout: 60_000 }, () => {
    const wanted = {
      1: 'bafkreicjtfcgdvvumoipafgiyutvvbmr56dwi5qk7yttttxch5x34kcxpa',
      1_048_576: 'bafkreibqc43uciu2o4tga6ev24r4i2grpbuiqaqfxsxlyblycg54bawx2a',
      1_048_577: 'bafybeictwfhdsa7iv6k5wetnmih34unqq2uub77w4f6jcichv2l2ti7dri',
      10_485_760: 'bafybeideiwmcbxm4ncw3mz6wwibloxyqav4md4zdcvum3txmaqas727uzm',
      1_073_741_824: 'bafybeibh2rotkzeino2usmvuhds7kh7lwr4q7wroe7hasadmv2ejhi4kgi',
      1_073_741_825: 'bafybeig22ytzivlsxrveviopaibatrkvqma2jr67wtyuftxqzcttopiq4u',
      1_610_612_736: 'bafybeihbthefnv3j6kerpcvk3yov7ihtm65rfziqiexjoysttrfbdrv7qy',
    }
    expect(cidsOf(aes128(), Object.keys(wanted).map(Number))).toEqual(wanted)
  })

  test('of nothing', () => {
    const { cid, nodes } = unixfsTree(
      { size: 0, sha256: sha256(new Uint8Array()), leaves: new Uint8Array() },
      sha256,
    )
    expect(cid).toBe('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
    expect(nodes).toEqual([])
  })
})

describe('the JavaScript importer', () => {
  /** Everything about some bytes, leaf by leaf. */
  function read(bytes: Uint8Array): { size: number; sha256: Uint8Array; leaves: Uint8Array } {
    const leaves: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += leafSize) leaves.push(sha256(bytes.subarray(at, at + leafSize)))
    return { size: bytes.length, sha256: sha256(bytes), leaves: Buffer.concat(leaves) }
  }

  async function expectImporter(size: number): Promise<void> {
    const bytes = aes128().update(new Uint8Array(size))
    const content = read(bytes)
    const { cid } = unixfsTree(content, sha256)
    const blocks = new MemoryBlockstore()
    const root = await importBytes(bytes, blocks, { profile: 'unixfs-v1-2025' })
    expect(cid).toBe(root.cid.toString())
    expect(unixfsDagSize(size)).toBe(Number(root.size))
    const depth = unixfsLevels(size).length
    const ours = depth === 1 ? bytes : unixfsNode(content, depth - 1, 0, sha256)
    const theirs: Uint8Array[] = []
    for await (const chunk of blocks.get(CID.parse(cid))) theirs.push(chunk)
    expect(Buffer.concat(theirs).equals(ours)).toBe(true)
  }

  test.each(
    [0, 1, 2, 3].flatMap((n) => [-1, 0, 1].map((by) => n * mebibyte + by)).filter((size) => size >= 0),
  )('makes the same root of %i bytes', expectImporter)

  test('makes the same root of any size', async () => {
    await fc.assert(fc.asyncProperty(fc.nat({ max: 6 * mebibyte }), expectImporter), { numRuns: 10 })
  })
})
