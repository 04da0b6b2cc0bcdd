import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { cidParts, formatCid, rawCid, type Cid } from '@openregistry/dag'
import {
  RegistryError,
  mediaTypes,
  parseDigest,
  parseTag,
  type Digest,
  type Reference,
} from '@openregistry/oci'
import {
  MemoryBlockView,
  imageIndex,
  descriptorOf,
  randomFrom,
  randomImage,
  type Content,
} from '@openregistry/testkit'
import { ImageByCid } from './image-by-cid.ts'

const limit = 4 * 1024 * 1024
const random = randomFrom('image by cid')
const image = randomImage(random, { layerSize: 1_500_000, layers: 1 })
const index = imageIndex({ manifests: [descriptorOf(image.manifest)] })
const latest: Reference = { kind: 'tag', tag: parseTag('latest') }
const byDigest = (digest: Digest): Reference => ({ kind: 'digest', digest })

let view: MemoryBlockView
let root: Cid

beforeEach(() => {
  view = new MemoryBlockView()
  root = layout(index, [index, image.manifest, ...image.blobs])
})

function layout(top: Content, contents: readonly Content[], names = ['index.json']): Cid {
  const file = (name: string, text: string) => {
    const bytes = Buffer.from(text)
    return { name, cid: view.addBlock(bytes), size: bytes.length }
  }
  const blobs = contents.map(({ digest, bytes }) => ({ name: digest.slice(7), ...view.addBlob(bytes) }))
  const sha256 = { name: 'sha256', ...view.addDirectory(blobs) }
  const named = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptorOf(top)] }
  return view.addDirectory([
    { name: 'blobs', ...view.addDirectory([sha256]) },
    ...names.map((name) => file(name, JSON.stringify(named))),
  ]).cid
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  return error instanceof RegistryError ? error.code : String(error)
}

describe('manifests', () => {
  test('are the image itself, and every manifest below it', async () => {
    const asked = new ImageByCid(view, root, limit)
    for (const [reference, content] of [
      [latest, index],
      [byDigest(index.digest), index],
      [byDigest(image.manifest.digest), image.manifest],
    ] as const) {
      const { digest, mediaType, bytes, cid } = await asked.manifest(reference)
      expect([digest, mediaType, Buffer.from(bytes)]).toEqual([
        content.digest,
        content.mediaType,
        Buffer.from(content.bytes),
      ])
      expect(cid).toBe(rawCid(createHash('sha256').update(content.bytes).digest()))
    }
  })

  test('are nothing else: no other tag, no blob, nothing larger than a manifest may be', async () => {
    const asked = new ImageByCid(view, root, limit)
    const [config, layer] = image.blobs
    for (const reference of [
      { kind: 'tag', tag: parseTag('v1') } as const,
      byDigest(config!.digest),
      byDigest(layer!.digest),
      byDigest(parseDigest(`sha256:${'0'.repeat(64)}`)),
      byDigest(parseDigest(`sha512:${'0'.repeat(128)}`)),
    ]) {
      expect(await codeOf(asked.manifest(reference))).toBe('MANIFEST_UNKNOWN')
    }
    const small = new ImageByCid(view, root, image.manifest.bytes.length - 1)
    expect(await codeOf(small.manifest(byDigest(image.manifest.digest)))).toBe('MANIFEST_UNKNOWN')
  })

  test('that are not what they are called are not given away', async () => {
    const wrong = { ...index, bytes: image.manifest.bytes }
    const asked = new ImageByCid(view, layout(index, [wrong]), limit)
    expect(await codeOf(asked.manifest(latest))).toBe('STORAGE_UNAVAILABLE')
  })
})

describe('blobs', () => {
  test('are everything that the layout has', async () => {
    const asked = new ImageByCid(view, root, limit)
    for (const content of [...image.blobs, image.manifest, index]) {
      const { file, cid } = await asked.blob(content.digest)
      await using reader = await file.open()
      const chunks: Buffer[] = []
      for await (const chunk of reader.chunks) chunks.push(Buffer.from(chunk))
      expect(Buffer.concat(chunks).equals(content.bytes)).toBe(true)
      expect(cid).toMatch(content.bytes.length > 1024 * 1024 ? /^bafybei/ : /^bafkrei/)
    }
  })

  test('that are there, but not in this layout, are unknown', async () => {
    const other = randomImage(random)
    layout(other.manifest, [other.manifest, ...other.blobs])
    const asked = new ImageByCid(view, root, limit)
    expect(await codeOf(asked.blob(other.blobs[0]!.digest))).toBe('BLOB_UNKNOWN')
  })
})

describe('a CID', () => {
  test('that nobody has, or whose blocks are not for everybody, is unknown at every step', async () => {
    const asked = (cid: Cid) => [
      new ImageByCid(view, cid, limit).manifest(latest),
      new ImageByCid(view, cid, limit).manifest(byDigest(image.manifest.digest)),
      new ImageByCid(view, cid, limit).blob(image.blobs[0]!.digest),
    ]
    const codes = (cid: Cid) => Promise.all(asked(cid).map(codeOf))
    const unknown = ['MANIFEST_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN']
    expect(await codes(formatCid({ ...cidParts(root), digest: new Uint8Array(32) }))).toStrictEqual(unknown)
    view.hide(cidParts(root).digest)
    expect(await codes(root)).toStrictEqual(unknown)
  })

  test('of a directory that is no layout is unknown', async () => {
    const other = layout(index, [index], ['other.json'])
    expect(await codeOf(new ImageByCid(view, other, limit).manifest(latest))).toBe('MANIFEST_UNKNOWN')
    const odd = view.addDirectory([
      { name: 'index.json', cid: view.addBlock(Buffer.from('[]')), size: 2 },
    ]).cid
    expect(await codeOf(new ImageByCid(view, odd, limit).manifest(latest))).toBe('MANIFEST_UNKNOWN')
  })

  test.each(['latest', '', 'bafkqaaa', rawCid(new Uint8Array(32)), 'bafzaajaiaejca'])(
    'cannot be %j',
    (text) => {
      expect(() => new ImageByCid(view, text, limit)).toThrow(/Not the CID of an image/)
    },
  )
})
