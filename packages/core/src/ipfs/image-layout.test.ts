import { createHash } from 'node:crypto'
import { MemoryBlockstore } from 'blockstore-core/memory'
import fc from 'fast-check'
import { importer } from 'ipfs-unixfs-importer'
import { expect, test } from 'vitest'
import { dagPbCid } from '@openregistry/dag'
import { digestHex, mediaTypes, type Digest } from '@openregistry/oci'
import { hashedContent, type HashedContent } from '@openregistry/testkit'
import { buildLayout } from './image-layout.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const encoder = new TextEncoder()

interface File {
  digest: Digest
  content: HashedContent
}

function layoutOf(files: readonly File[]) {
  const [top] = files
  const contents = files.map(({ digest, content: { cid, size } }) => ({ digest, cid, size }))
  const { size } = top!.content
  return buildLayout(
    { top: { digest: top!.digest, mediaType: mediaTypes.ociManifest, size }, contents },
    sha256,
  )
}

/** The same directory as another implementation makes it from files. */
async function imported(files: readonly File[]): Promise<string> {
  const [top] = files
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType: mediaTypes.ociManifest, digest: top!.digest, size: top!.content.size }],
  }
  const entries = [
    { path: 'oci-layout', content: encoder.encode('{"imageLayoutVersion":"1.0.0"}') },
    { path: 'index.json', content: encoder.encode(JSON.stringify(index)) },
    ...files.map(({ digest, content }) => {
      return {
        path: `blobs/${digest.startsWith('sha512') ? 'sha512' : 'sha256'}/${digestHex(digest)}`,
        content: content.bytes,
      }
    }),
  ]
  let root = ''
  const options = { profile: 'unixfs-v1-2025', wrapWithDirectory: true } as const
  for await (const { cid, path } of importer(entries, new MemoryBlockstore(), options)) {
    if (path === '') root = cid.toString()
  }
  return root
}

test('a layout is the directory that other tools make of its files', async () => {
  const size = fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 3 * 1024 * 1024 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(size, fc.boolean()), { minLength: 1, maxLength: 6 }),
      async (shape) => {
        const files = shape.map(([length, long], index) => {
          const content = hashedContent(new Uint8Array(length + 1).fill(index + 1))
          return { digest: long ? content.sha512 : content.sha256, content }
        })
        expect(dagPbCid(layoutOf(files).root)).toBe(await imported(files))
      },
    ),
    { numRuns: 15 },
  )
})

test('a layout of very many blobs is spread over shards, as others spread it', async () => {
  const files = Array.from({ length: 3000 }, (_, index) => {
    const content = hashedContent(`blob ${index}`)
    return { digest: content.sha256, content }
  })
  const layout = layoutOf(files)
  expect(layout.blocks.length).toBeGreaterThan(100)
  expect(dagPbCid(layout.root)).toBe(await imported(files))
})

test('its blocks are its directories and its two files, its size counts all', () => {
  const content = hashedContent('{}')
  const { root, size, blocks } = layoutOf([{ digest: content.sha256, content }])
  for (const block of blocks) expect(sha256(block.bytes)).toEqual(Buffer.from(block.sha256))
  const own = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  expect(size).toBe(own + content.size)
  expect(blocks.map((block) => Buffer.from(block.sha256).toString('hex'))).toContain(
    Buffer.from(root).toString('hex'),
  )
  const texts = blocks
    .map(({ bytes }) => new TextDecoder().decode(bytes))
    .filter((text) => text.startsWith('{'))
  expect(texts.map((text) => Object.keys(JSON.parse(text) as object)[0])).toStrictEqual([
    'schemaVersion',
    'imageLayoutVersion',
  ])
})
