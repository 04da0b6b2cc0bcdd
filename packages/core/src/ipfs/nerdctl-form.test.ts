import { createHash } from 'node:crypto'
import { dagPbCid, parseCid, cidParts, rawCid, unixfsDagSize } from '@openregistry/dag'
import { mediaTypes, type Digest } from '@openregistry/oci'
import { hashedContent, type HashedContent } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { buildNerdctlForm, type NerdctlForm } from './nerdctl-form.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const decoder = new TextDecoder()

interface Members {
  [member: string]: unknown
  digest: string
  size: number
  urls: string[]
  config: Members
  layers: Members[]
  manifests: Members[]
}

const config = hashedContent('{"os":"linux"}')
const layer = hashedContent(new Uint8Array(1_500_000).fill(7))

const descriptor = (mediaType: string, { sha256: digest, size }: HashedContent, more: object = {}) => {
  return { mediaType, digest, size, ...more }
}

const manifestOf = (layers: object[], more: object = {}): HashedContent =>
  hashedContent(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest },
      ...{ config: descriptor(mediaTypes.ociConfig, config), layers, ...more },
    }),
  )

const indexOf = (children: readonly HashedContent[], more: object = {}): HashedContent =>
  hashedContent(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: mediaTypes.ociIndex },
      manifests: children.map((child) => descriptor(mediaTypes.ociManifest, child, more)),
    }),
  )

function formOf(
  manifests: readonly HashedContent[],
  blobs: readonly HashedContent[] = [config, layer],
): Promise<NerdctlForm> {
  const [top] = manifests
  const contents = [...manifests, ...blobs].map(({ sha256: digest, cid, size }) => ({ digest, cid, size }))
  const { mediaType } = JSON.parse(decoder.decode(top!.bytes)) as { mediaType: string }
  return buildNerdctlForm(
    {
      top: { digest: top!.sha256, mediaType, size: top!.size },
      contents,
      manifests: new Set(manifests.map((one) => one.sha256)),
    },
    (digest) => Promise.resolve(manifests.find((one) => one.sha256 === digest)!.bytes),
    sha256,
  )
}

/** The file behind the first address of a descriptor, compared with it. */
function follow({ blocks }: NerdctlForm, { urls, digest, size }: Members): Members {
  const hash = cidParts(parseCid(urls[0]!.slice('ipfs://'.length))).digest
  const { bytes } = blocks.find((block) => Buffer.from(block.sha256).equals(hash))!
  expect([`sha256:${Buffer.from(sha256(bytes)).toString('hex')}`, bytes.length]).toEqual([digest, size])
  return JSON.parse(decoder.decode(bytes)) as Members
}

function topOf(form: NerdctlForm): Members {
  const { bytes } = form.blocks.find((block) => rawCid(block.sha256) === form.cid)!
  return JSON.parse(decoder.decode(bytes)) as Members
}

const layered = descriptor(mediaTypes.ociLayerGzip, layer, { annotations: { kept: 'yes' } })

test('each descriptor of an image says where its content is, and nothing else of it changes', async () => {
  const platform = { os: 'linux', architecture: 'amd64' }
  const image = manifestOf([layered], { annotations: { author: 'me' } })
  const form = await formOf([indexOf([image], { platform, data: 'e30=' }), image])
  const top = topOf(form)
  expect(Object.keys(top)).toEqual(['mediaType', 'digest', 'size', 'urls'])
  expect(top['mediaType']).toBe(mediaTypes.ociIndex)
  const [child] = follow(form, top).manifests
  expect(child).toMatchObject({ mediaType: mediaTypes.ociManifest, platform })
  expect(child!.digest).not.toBe(image.sha256)
  expect(child!['data'], 'of the manifest that was pushed').toBeUndefined()
  const expected = JSON.parse(decoder.decode(image.bytes)) as Members
  expected.config = { ...expected.config, urls: [`ipfs://${config.cid}`] }
  expected.layers = [{ ...expected.layers[0]!, urls: [`ipfs://${layer.cid}`] }]
  expect(follow(form, child!)).toEqual(expected)
})

test('its blocks are the derived files alone, each as its hash says, and its size counts all', async () => {
  const image = manifestOf([layered])
  const form = await formOf([image])
  expect(form.blocks).toHaveLength(2)
  for (const block of form.blocks) expect(sha256(block.bytes)).toEqual(Buffer.from(block.sha256))
  expect(rawCid(form.root)).toBe(form.cid)
  const own = form.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  expect(form.size).toBe(own + unixfsDagSize(config.size) + unixfsDagSize(layer.size))
  expect((await formOf([image])).cid).toBe(form.cid)
})

test('addresses of others stay behind ours, but for CIDs, and a foreign layer as it is', async () => {
  const urls = ['ipfs://bafkqaaa', 'https://example.org/layer']
  const foreign = { ...descriptor(mediaTypes.ociForeignLayer, hashedContent('elsewhere')), urls }
  const form = await formOf([manifestOf([{ ...layered, urls }, foreign])])
  const [own, other] = follow(form, topOf(form)).layers
  expect(own!.urls).toEqual([`ipfs://${layer.cid}`, 'https://example.org/layer'])
  expect(other).toEqual(foreign)
})

test('a platform that several indexes name is derived once', async () => {
  const image = manifestOf([layered])
  const inner = indexOf([image])
  const form = await formOf([indexOf([inner, image]), inner, image])
  const [first, second] = follow(form, topOf(form)).manifests
  expect(follow(form, first!).manifests[0]!.digest).toBe(second!.digest)
  expect(form.blocks).toHaveLength(4)
})

test('a manifest above 1 MiB is a file of several blocks, and there is an end to it', async () => {
  const many = (count: number) => manifestOf(Array.from({ length: count }, () => layered))
  const form = await formOf([many(5000)])
  const { urls } = topOf(form)
  const node = form.blocks.find((block) => `ipfs://${dagPbCid(block.sha256)}` === urls[0])
  expect(node).toBeDefined()
  for (const block of form.blocks) expect(block.bytes.length).toBeLessThanOrEqual(1024 * 1024)
  const children = Array.from({ length: 20 }, (_, index) => {
    return manifestOf(
      Array.from({ length: 8000 }, () => layered),
      { annotations: { index: String(index) } },
    )
  })
  await expect(formOf([indexOf(children), ...children])).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('too many descriptors') as string,
  })
})

test('a digest of SHA-512 stays that of its content', async () => {
  const long = { ...layered, digest: layer.sha512 as Digest }
  const contents = { ...layer, sha256: layer.sha512 }
  const form = await formOf([manifestOf([long])], [config, contents])
  expect(follow(form, topOf(form)).layers[0]).toMatchObject({
    digest: layer.sha512,
    urls: [`ipfs://${layer.cid}`],
  })
})
