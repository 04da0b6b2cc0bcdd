import { createHash } from 'node:crypto'
import { MemoryBlockstore } from 'blockstore-core/memory'
import fc from 'fast-check'
import { importer } from 'ipfs-unixfs-importer'
import { describe, expect, test } from 'vitest'
import { formatCid } from './cid-parts.ts'
import { rawCid } from './cid.ts'
import { resolveSegment } from './resolve-segment.ts'
import { decodeUnixfs } from './unixfs-data.ts'
import { unixfsDirectory, type DirectoryEntry, type UnixfsDirectory } from './unixfs-directory.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** A file whose content is its name. */
function entryOf(name: string): DirectoryEntry {
  const bytes = Buffer.from(name)
  return { name, cid: rawCid(sha256(bytes)), size: bytes.length }
}

/** What the JavaScript importer makes of the same files. */
async function byImporter(names: readonly string[]): Promise<{ cid: string; size: number }> {
  const files = names.map((path) => ({ path, content: Buffer.from(path) }))
  const options = { profile: 'unixfs-v1-2025', wrapWithDirectory: true } as const
  let root = { cid: '', size: 0 }
  for await (const { cid, size } of importer(files, new MemoryBlockstore(), options)) {
    root = { cid: cid.toString(), size: Number(size) }
  }
  return root
}

async function expectImporter(names: readonly string[]): Promise<UnixfsDirectory> {
  const directory = unixfsDirectory(names.map(entryOf), sha256)
  expect({ cid: directory.cid, size: directory.size }).toEqual(await byImporter(names))
  return directory
}

/** Follows a name through the blocks of a directory. */
function find({ cid, blocks }: UnixfsDirectory, name: string): { cid: string; size: number } | null {
  const byCid = new Map(blocks.map((block) => [block.cid, block.bytes]))
  let at = cid
  for (let depth = 0; ; depth++) {
    const found = resolveSegment(decodeUnixfs(byCid.get(at)!), name, depth)
    if (found === null) return null
    if (found.kind === 'entry') return { cid: formatCid(found.cid), size: found.size }
    at = formatCid(found.cid)
  }
}

/** Bytes of the one node that a few names make. */
function nodeSize(names: readonly string[]): number {
  return unixfsDirectory(names.map(entryOf), sha256).blocks[0]!.bytes.length
}

/** Names that make a node of exactly `size` bytes. */
function namesFor(size: number): string[] {
  const nameOf = (number: number): string => String(number).padEnd(200, '.')
  const each = nodeSize([nameOf(0)]) - nodeSize([])
  const names = Array.from({ length: Math.floor(size / each) - 2 }, (_, number) => nameOf(number))
  // Each character makes the name and, as the content is the name, no other length longer: 200 to 300 need two bytes.
  const missing = size - nodeSize([]) - names.length * each
  const halves = [Math.floor(missing / 2), Math.ceil(missing / 2)]
  return [...names, ...halves.map((half, index) => `${'xy'[index]!}`.padEnd(200 + half - each, '.'))]
}

describe('a directory', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/^\.{1,2}$|[/\0]/.test(text) && text.isWellFormed() && text === text.trim())

  test('is the one that the JavaScript importer makes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 40 }), async (names) => {
        await expectImporter(names)
      }),
      { numRuns: 50 },
    )
  })

  test('without entries is known to everybody', () => {
    expect(unixfsDirectory([], sha256).cid).toBe(
      'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
    )
  })

  test('does not depend on the order in which its entries are given', () => {
    const names = ['b', 'a', 'é', 'z', '\u{1f600}', '\uffff', 'ab']
    const [first, second] = [names, names.toReversed()].map((list) =>
      unixfsDirectory(list.map(entryOf), sha256),
    )
    expect(first).toEqual(second)
    expect(find(first!, '\u{1f600}')).toEqual({ cid: entryOf('\u{1f600}').cid, size: 4 })
  })

  test.each(['', '.', '..', 'a/b'])('has no entry %j', (bad) => {
    expect(() => unixfsDirectory([{ ...entryOf('x'), name: bad }], sha256)).toThrow(RangeError)
  })

  test('has no name twice', () => {
    expect(() => unixfsDirectory([entryOf('a'), entryOf('b'), entryOf('a')], sha256)).toThrow(RangeError)
  })
})

describe('a directory over 256 KiB', () => {
  test('is a tree of shards, as the importer makes it', { timeout: 60_000 }, async () => {
    for (const count of [3000, 8000]) {
      const names = Array.from({ length: count }, (_, i) => `sha256-${i * 7919}`.padEnd(60, '.'))
      const directory = await expectImporter(names)
      expect(directory.blocks.length > 1).toBe(true)
      for (const one of names.filter((_, i) => i % 97 === 0)) {
        expect(find(directory, one)).toEqual({ cid: entryOf(one).cid, size: one.length })
        expect(find(directory, `${one}!`)).toBeNull()
      }
    }
  })

  test('is one node up to the last byte', async () => {
    const limit = 256 * 1024
    const fits = namesFor(limit)
    const directory = await expectImporter(fits)
    expect(directory.blocks.map(({ bytes }) => bytes.length)).toEqual([limit])
    const more = await expectImporter([...fits.slice(0, -1), `${fits.at(-1)!}y`])
    expect(more.blocks.length > 1).toBe(true)
  })
})
