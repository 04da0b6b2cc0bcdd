import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StorageKey } from '@openregistry/core'
import { unixfsNode } from '@openregistry/dag'
import { RegistryError, digestBytes } from '@openregistry/oci'
import { hashedContent, type HashedContent } from '@openregistry/testkit'
import { BlockMemory } from './block-memory.ts'
import { createBlockView } from './stored-block-view.ts'
import { StoredContent } from './stored-content.ts'

const mebi = 1024 * 1024
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

function contentOf(size: number, seed = 1): HashedContent {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 4096) bytes.fill((at / 4096 + seed) % 251, at, at + 4096)
  return hashedContent(bytes)
}

function leafHash({ leaves }: HashedContent, index: number): Uint8Array {
  return leaves.slice(32 * index, 32 * index + 32)
}

function keyAt(row: ReturnType<StoredContent['put']>, index: number): StorageKey {
  const location = row.locations[index]!
  if (location.kind === 'inline') throw new Error('Not an object.')
  return location.key
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  return error instanceof RegistryError ? error.code : String(error)
}

describe('blocks', () => {
  test('of any blob are the tree over its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 5 * mebi }), fc.constantFrom('one', 'inline'), async (size, place) => {
        const [stored, content] = [new StoredContent(), contentOf(size)]
        stored.put(content, place)
        const memory = new BlockMemory()
        const view = createBlockView(stored.ports, { memory })
        const leaves =
          size <= mebi
            ? [digestBytes(content.sha256)]
            : [...content.leaves.keys()]
                .filter((at) => at % 32 === 0)
                .map((at) => content.leaves.slice(at, at + 32))
        const bytes = await Promise.all(leaves.map((hash) => view.block(hash)))
        expect(Buffer.concat(bytes.map((block) => block!)).equals(content.bytes)).toBe(true)
        expect(await Promise.all(leaves.map((hash) => view.blockSize(hash)))).toStrictEqual(
          bytes.map((block) => block!.length),
        )
        for (const [at, level] of content.nodes.entries()) {
          const node = await view.block(level.slice(0, 32))
          expect(node).toStrictEqual(unixfsNode(content, at + 1, 0, sha256))
          expect(await view.blockSize(level.slice(0, 32))).toBe(node!.length)
        }
        expect(stored.one.unclosed).toBe(0)
        // All were read at once, and each piece has come back.
        const inPieces = bytes.filter((block) => place === 'one' && block!.length > 65_536).length
        expect(memory.free).toBe(inPieces)
      }),
      {
        numRuns: 20,
        examples: [0, 1, mebi, mebi + 1].flatMap((size) => [
          [size, 'one'],
          [size, 'inline'],
        ]),
      },
    )
  })

  test('are read as the range that they are', async () => {
    const [stored, content] = [new StoredContent(), contentOf(3 * mebi + 7)]
    stored.put(content, 'one')
    const view = createBlockView(stored.ports)
    await view.block(leafHash(content, 3))
    await view.block(leafHash(content, 1))
    expect(stored.one.opened).toStrictEqual([
      { offset: 3 * mebi, length: 7 },
      { offset: mebi, length: mebi },
    ])
  })

  test('that nobody has are null', async () => {
    const stored = new StoredContent()
    const view = createBlockView(stored.ports)
    const hash = digestBytes(hashedContent().sha256)
    expect(await view.block(hash)).toBeNull()
    expect(await view.blockSize(hash)).toBeNull()
    expect(await view.file(hash)).toBeNull()
    expect(await view.blob(hash)).toBeNull()
  })

  test('of which the gate says no are null, whatever the database says', async () => {
    const stored = new StoredContent()
    const content = contentOf(mebi + 1)
    stored.put(content, 'one')
    const [bytes, node] = [new Uint8Array(1), sha256(new Uint8Array(1))]
    stored.nodes.set(node.toHex(), { repository: stored.repository, bytes })
    stored.repository.visibility = 'private'
    const view = createBlockView(stored.ports)
    for (const hash of [leafHash(content, 0), content.nodes[0]!, node]) {
      expect([await view.block(hash), await view.blockSize(hash), await view.file(hash)]).toStrictEqual([
        null,
        null,
        null,
      ])
    }
    expect(await view.blob(digestBytes(content.sha256))).toBeNull()
  })

  test('of directories come from the database, if they are what they are called', async () => {
    const stored = new StoredContent()
    const bytes = new TextEncoder().encode('a directory')
    stored.nodes.set(sha256(bytes).toHex(), { repository: stored.repository, bytes })
    stored.nodes.set('bb'.repeat(32), { repository: stored.repository, bytes })
    const view = createBlockView(stored.ports)
    expect(await view.block(sha256(bytes))).toStrictEqual(bytes)
    expect(await view.blockSize(sha256(bytes))).toBe(bytes.length)
    expect(await view.block(Uint8Array.fromHex('bb'.repeat(32)))).toBeNull()
  })
})

describe('a block that is lent', () => {
  test('has memory that is used again once it was given back, and never before', async () => {
    const [stored, content] = [new StoredContent(), contentOf(3 * mebi + 100)]
    stored.put(content, 'one')
    const memory = new BlockMemory()
    const view = createBlockView(stored.ports, { memory })
    const first = (await view.lend(leafHash(content, 0)))!
    const second = (await view.lend(leafHash(content, 1)))!
    expect(Buffer.from(first.bytes).equals(content.bytes.subarray(0, mebi))).toBe(true)
    first.release!()
    first.release!()
    expect(memory.free).toBe(1)
    const third = (await view.lend(leafHash(content, 2)))!
    expect(third.bytes.buffer).toBe(first.bytes.buffer)
    expect(Buffer.from(second.bytes).equals(content.bytes.subarray(mebi, 2 * mebi))).toBe(true)
    expect(memory.free).toBe(0)
    // The end of the blob is small: the memory is its own.
    expect((await view.lend(leafHash(content, 3)))!.release).toBeNull()
  })

  test('is nothing that the garbage collector takes for small when it is left behind', async () => {
    const [stored, content] = [new StoredContent(), contentOf(mebi)]
    stored.put(content, 'one')
    const { bytes } = (await createBlockView(stored.ports).lend(leafHash(content, 0)))!
    expect(bytes.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test('is given back when it is wrong, or cannot be read', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const memory = new BlockMemory()
    const view = createBlockView(stored.ports, { memory })
    const key = keyAt(stored.put(content, 'one'), 0)
    stored.one.objects.set(key, new Uint8Array(2 * mebi))
    expect(await codeOf(view.lend(leafHash(content, 0)))).toBe('STORAGE_UNAVAILABLE')
    expect(memory.free).toBe(1)
    stored.put(content, 'two')
    const short = { size: 2 * mebi, chunks: (async function* () {})() }
    stored.two.open = async () => ({ ...short, [Symbol.asyncDispose]: async () => undefined })
    expect(await codeOf(view.lend(leafHash(content, 1)))).toBe('STORAGE_UNAVAILABLE')
    expect(memory.free).toBe(1)
  })
})

describe('a place that is bad', () => {
  test('is marked, and the next one is read', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const row = stored.put(content, 'one', 'two')
    const key = keyAt(row, 0)
    const wrong = content.bytes.slice()
    wrong[mebi + 5]! ^= 1
    stored.one.objects.set(key, wrong)
    const view = createBlockView(stored.ports)
    expect(await view.block(leafHash(content, 0))).not.toBeNull()
    expect(stored.damaged).toStrictEqual([])
    expect(sha256((await view.block(leafHash(content, 1)))!)).toEqual(Buffer.from(leafHash(content, 1)))
    expect(stored.damaged).toStrictEqual([{ state: 'damaged', key }])
    expect(stored.one.unclosed + stored.two.unclosed).toBe(0)
  })

  test.each([
    ['missing', undefined],
    ['damaged', new Uint8Array(mebi + 3)],
    ['damaged', new Uint8Array(3 * mebi)],
  ] as const)('%s: and no other is there', async (state, bytes) => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const key = keyAt(stored.put(content, 'one'), 0)
    if (bytes === undefined) stored.one.objects.delete(key)
    else stored.one.objects.set(key, bytes)
    const view = createBlockView(stored.ports)
    expect(await codeOf(view.block(leafHash(content, 1)))).toBe('STORAGE_UNAVAILABLE')
    expect(stored.damaged).toStrictEqual([{ state, key }])
    expect(await view.block(leafHash(content, 1))).toBeNull()
    expect(await view.blockSize(leafHash(content, 1))).toBeNull()
  })

  test('is not marked when its object went while the row was read', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const row = stored.put(content, 'one', 'two')
    const key = keyAt(row, 0)
    stored.one.objects.delete(key)
    stored.one.faults.set(key, (() => {
      row.locations = row.locations.slice(1)
      stored.one.faults.clear()
    }) as () => never)
    expect(await createBlockView(stored.ports).block(leafHash(content, 0))).not.toBeNull()
    expect(stored.damaged).toStrictEqual([])
  })

  test('is left alone when its backend is away: the next one is read, or it is said', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const row = stored.put(content, 'one', 'two')
    const away = (): never => {
      throw new RegistryError('STORAGE_UNAVAILABLE')
    }
    stored.one.faults.set(keyAt(row, 0), away)
    const view = createBlockView(stored.ports)
    expect(await view.block(leafHash(content, 0))).not.toBeNull()
    stored.two.faults.set(keyAt(row, 1), away)
    expect(await codeOf(view.block(leafHash(content, 0)))).toBe('STORAGE_UNAVAILABLE')
    const view2 = (await view.blob(digestBytes(content.sha256)))!
    expect(await codeOf(view2.open())).toBe('STORAGE_UNAVAILABLE')
    expect(stored.damaged).toStrictEqual([])
  })

  test('in the database gives way to an object', async () => {
    const [stored, content] = [new StoredContent(), contentOf(100)]
    const row = stored.put(content, 'inline', 'one')
    row.locations[0] = { kind: 'inline', bytes: new Uint8Array(100) }
    expect(await createBlockView(stored.ports).block(digestBytes(content.sha256))).toEqual(content.bytes)
    expect(stored.damaged).toStrictEqual([])
  })

  test('of one blob gives way to another blob with the same leaf', async () => {
    const stored = new StoredContent()
    const shared = contentOf(mebi)
    const [one, two] = [1, 2].map((end) => hashedContent(Buffer.concat([shared.bytes, new Uint8Array(end)])))
    stored.put(one!, 'one')
    stored.put(two!, 'two')
    stored.one.objects.clear()
    expect(await createBlockView(stored.ports).block(leafHash(one!, 0))).toEqual(shared.bytes)
  })
})

describe('a node', () => {
  test('whose hash merely begins like the wanted one is not given away', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    stored.put(content, 'one')
    const other = content.nodes[0]!.slice()
    other[20]! ^= 1
    const view = createBlockView(stored.ports)
    expect(await view.block(other)).toBeNull()
    expect(await view.blockSize(other)).toBeNull()
    expect(await view.file(other)).toBeNull()
  })

  test('is derived anew when the hashes in the database were corrected', async () => {
    const [stored, content] = [new StoredContent(), contentOf(2 * mebi)]
    const row = stored.put(content, 'one')
    const view = createBlockView(stored.ports)
    const right = row.leaves
    row.leaves = contentOf(2 * mebi, 9).leaves
    expect(await view.block(content.nodes[0]!)).toBeNull()
    row.leaves = right
    expect(await view.block(content.nodes[0]!)).not.toBeNull()
  })
})

describe('a file', () => {
  test('is found by its root, or by its only leaf, and not by another block', async () => {
    const stored = new StoredContent()
    const [small, large] = [contentOf(10), contentOf(mebi + 1)]
    stored.put(small, 'inline')
    stored.put(large, 'one')
    const view = createBlockView(stored.ports)
    const facts = async (hash: Uint8Array) => {
      const file = await view.file(hash)
      return file && { size: file.size, leaves: file.leaves, nodes: file.nodes }
    }
    const { size, leaves, nodes } = large
    expect(await facts(nodes[0]!)).toStrictEqual({ size, leaves, nodes })
    expect(await facts(digestBytes(small.sha256))).toStrictEqual({
      size: 10,
      leaves: small.leaves,
      nodes: [],
    })
    expect(await facts(leafHash(large, 0))).toBeNull()
    expect(await facts(digestBytes(large.sha256))).toBeNull()
    const whole = (await view.blob(digestBytes(large.sha256)))!
    expect(whole.nodes).toStrictEqual(nodes)
  })

  test('of nothing has no leaves', async () => {
    const stored = new StoredContent()
    stored.put(contentOf(0), 'inline')
    const file = (await createBlockView(stored.ports).file(sha256(new Uint8Array(0))))!
    expect([file.size, file.leaves.length, file.nodes]).toStrictEqual([0, 0, []])
    await using reader = await file.open()
    expect(await Array.fromAsync(reader.chunks)).toStrictEqual([])
  })

  test('is read whole and in ranges', async () => {
    const stored = new StoredContent()
    for (const [content, place] of [
      [contentOf(5000), 'inline'],
      [contentOf(2 * mebi), 'one'],
    ] as const) {
      stored.put(content, place)
      const file = (await createBlockView(stored.ports).blob(digestBytes(content.sha256)))!
      for (const range of [undefined, { offset: 3, length: 4000 }, { offset: 0, length: 0 }]) {
        await using reader = await file.open(range)
        const { offset, length } = range ?? { offset: 0, length: content.size }
        const chunks: Buffer[] = []
        for await (const chunk of reader.chunks) chunks.push(Buffer.from(chunk))
        expect(Buffer.concat(chunks).equals(content.bytes.subarray(offset, offset + length))).toBe(true)
        expect(reader.size).toBe(content.size)
      }
    }
  })

  test('gives no wrong byte of a backend that is not trusted, and marks it', async () => {
    const stored = new StoredContent()
    const content = contentOf(3 * mebi)
    const key = keyAt(stored.put(content, 'one'), 0)
    stored.one.trusted = false
    const wrong = content.bytes.slice()
    wrong[mebi + 5]! ^= 1
    stored.one.objects.set(key, wrong)
    const file = (await createBlockView(stored.ports).blob(digestBytes(content.sha256)))!
    await using reader = await file.open()
    const given: Buffer[] = []
    const reading = (async () => {
      for await (const chunk of reader.chunks) given.push(Buffer.from(chunk))
    })()
    expect(await codeOf(reading)).toBe('STORAGE_UNAVAILABLE')
    expect(Buffer.concat(given).equals(content.bytes.subarray(0, mebi))).toBe(true)
    expect(stored.damaged).toMatchObject([{ state: 'damaged', key }])
  })

  test('that was closed since it was looked up is not opened', async () => {
    const stored = new StoredContent()
    const content = contentOf(2 * mebi)
    stored.put(content, 'one')
    const file = (await createBlockView(stored.ports).blob(digestBytes(content.sha256)))!
    stored.repository.visibility = 'private'
    expect(await codeOf(file.open())).toBe('BLOB_UNKNOWN')
  })
})

describe('trees', () => {
  test('are kept up to a number of bytes, those that were used last', async () => {
    const stored = new StoredContent()
    const contents = [1, 2, 3].map((seed) => contentOf(3 * mebi, seed))
    for (const content of contents) stored.put(content, 'one')
    const weight = contents[0]!.leaves.length + 32
    const view = createBlockView(stored.ports, { room: 2 * weight })
    const roots = contents.map(({ nodes }) => nodes[0]!)
    const reads = async (...order: number[]): Promise<number> => {
      stored.leavesRead = 0
      for (const index of order) await view.block(roots[index]!)
      return stored.leavesRead
    }
    expect(await reads(0, 1, 0, 1)).toBe(2)
    expect(await reads(2, 1)).toBe(1)
    expect(await reads(0)).toBe(1)
    expect(await reads(1, 0)).toBe(0)
  })
})
