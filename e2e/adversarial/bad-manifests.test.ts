import { mediaTypes } from '@openregistry/oci'
import { contentOf, descriptorOf, emptyJson, type HttpResponse } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal } from '../conformance/expectations.ts'
import type { Repository } from '../conformance/repository.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()
const { ociManifest, ociIndex, dockerManifest, dockerManifestList } = mediaTypes
const config = JSON.stringify(descriptorOf(emptyJson))
const zeros = '0'.repeat(64)

let repository: Repository
beforeAll(async () => {
  repository = registry.repository()
  await repository.pushBlob(emptyJson)
})

function put(
  body: string | Uint8Array,
  contentType: string | undefined,
  reference = registry.random.word(20),
): Promise<HttpResponse> {
  const headers = contentType === undefined ? {} : { 'content-type': contentType }
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  return repository.send(`manifests/${reference}`, { method: 'PUT', headers, body: bytes })
}

interface Refusal {
  what: string
  body: string | Uint8Array
  /** The media type of an OCI image unless said otherwise. */
  type?: string
  /** Without a Content-Type. */
  untyped?: true
  /** 400 unless said otherwise. */
  status?: number
  /** MANIFEST_INVALID unless said otherwise. */
  code?: string
}

/** An image manifest with more members, or others. */
const image = (members: string): string => `{"schemaVersion":2,"config":${config},${members}}`
const layer = (fields: string): string => image(`"layers":[{"mediaType":"a/b",${fields}}]`)
const good = image('"layers":[]')
const index = '{"schemaVersion":2,"manifests":[]}'
const nested = (open: string, close: string, depth: number): string =>
  open.repeat(depth) + close.repeat(depth)

const notJson: Refusal[] = [
  { what: 'nothing', body: '' },
  { what: 'one space', body: ' ' },
  { what: 'text', body: 'hello' },
  { what: 'HTML', body: '<!doctype html><script>alert(1)</script>' },
  { what: 'a gzip archive', body: Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3) },
  { what: 'an array', body: `[${good}]` },
  { what: 'a string', body: JSON.stringify(good) },
  { what: 'null', body: 'null' },
  { what: 'two documents', body: good + good },
  { what: 'a document and a NUL', body: `${good}\0` },
  { what: 'a comment', body: `/* */${good}` },
  { what: 'a trailing comma', body: image('"layers":[],') },
  { what: 'single quotes', body: good.replaceAll('"', "'") },
  { what: 'a byte order mark', body: `\xef\xbb\xbf${good}` },
  { what: 'UTF-16', body: Buffer.from(good, 'utf16le') },
  { what: 'a byte that is not UTF-8', body: image('"layers":[],"x":"\xff"') },
  { what: 'an overlong encoding', body: image('"layers":[],"x":"\xc0\xaf"') },
  { what: 'NaN', body: image('"layers":[],"x":NaN') },
  { what: 'half a document', body: good.slice(0, -9) },
]

const ambiguous: Refusal[] = [
  { what: 'manifests and layers (CVE-2021-41190)', body: image('"layers":[],"manifests":[]') },
  { what: 'the same as an index', body: image('"layers":[],"manifests":[]'), type: ociIndex },
  { what: 'the same without a type', body: image('"layers":[],"manifests":[]'), untyped: true },
  {
    what: 'config and manifests',
    body: `{"schemaVersion":2,"config":${config},"manifests":[]}`,
    type: ociIndex,
  },
  { what: 'layers twice', body: image('"layers":[],"layers":[]') },
  { what: 'layers twice, once escaped', body: image('"layers":[],"lay\\u0065rs":[]') },
  { what: 'a digest twice', body: layer(`"size":1,"digest":"sha256:${zeros}","digest":"sha256:${zeros}"`) },
  { what: 'an unknown member twice', body: image('"layers":[],"x":1,"x":2') },
  { what: 'a member twice, deep inside', body: image('"layers":[],"x":{"y":[{"z":1,"z":2}]}') },
  { what: '__proto__ twice', body: image('"layers":[],"__proto__":{},"__proto__":{}') },
  { what: 'Layers besides layers', body: image('"layers":[],"Layers":[]') },
  { what: 'layerſ with a long s', body: Buffer.from(image('"layers":[],"layerſ":[]')) },
  { what: 'an escaped NUL', body: image('"layers":[],"x":"a\\u0000b"') },
  { what: 'an escaped NUL in a name', body: image('"layers":[],"x\\u0000":1') },
  { what: 'a raw NUL', body: image('"layers":[],"x":"a\0b"') },
  { what: 'half a surrogate pair', body: image('"layers":[],"x":"\\ud800"') },
]

const mistyped: Refusal[] = [
  { what: 'an image as an index', body: good, type: ociIndex },
  { what: 'an index as an image', body: index },
  { what: "an index as Docker's image", body: index, type: dockerManifest },
  { what: "an image as Docker's list", body: good, type: dockerManifestList },
  { what: 'another mediaType inside', body: image(`"layers":[],"mediaType":"${dockerManifest}"`) },
  { what: 'the mediaType of an index inside', body: image(`"layers":[],"mediaType":"${ociIndex}"`) },
  { what: 'a mediaType that is a number', body: image('"layers":[],"mediaType":2') },
  { what: 'no type at all', body: '{"schemaVersion":2}', untyped: true },
  { what: 'an unknown mediaType and no header', body: image('"layers":[],"mediaType":"a/b"'), untyped: true },
  ...[
    'text/plain',
    'application/json',
    'application/octet-stream',
    'a',
    '/',
    'multipart/form-data; boundary=x',
  ].map((type) => ({ what: `Content-Type: ${type}`, body: good, type })),
  { what: "Docker's schema 1", body: '{"schemaVersion":1,"fsLayers":[]}', type: mediaTypes.dockerSchema1 },
  { what: "Docker's signed schema 1", body: '{"schemaVersion":1}', type: mediaTypes.dockerSchema1Signed },
  { what: 'schema 1 as an image', body: good.replace('"schemaVersion":2', '"schemaVersion":1') },
  { what: 'schema 3', body: good.replace('"schemaVersion":2', '"schemaVersion":3') },
  { what: 'schema "2"', body: good.replace('"schemaVersion":2', '"schemaVersion":"2"') },
  { what: 'no schema', body: good.replace('"schemaVersion":2,', '') },
  { what: 'an artifact manifest of OCI 1.1-rc', body: '{"blobs":[]}', type: mediaTypes.ociArtifactManifest },
]

const badDescriptors: Refusal[] = [
  { what: 'no config', body: '{"schemaVersion":2,"layers":[]}' },
  { what: 'no layers', body: `{"schemaVersion":2,"config":${config}}` },
  { what: 'layers that are an object', body: image('"layers":{}') },
  { what: 'a layer that is null', body: image('"layers":[null]') },
  { what: 'a digest in upper case', body: layer(`"size":1,"digest":"sha256:${'A'.repeat(64)}"`) },
  { what: 'an algorithm in upper case', body: layer(`"size":1,"digest":"SHA256:${zeros}"`) },
  { what: 'a digest that is too short', body: layer(`"size":1,"digest":"sha256:${zeros.slice(1)}"`) },
  { what: 'a digest that is too long', body: layer(`"size":1,"digest":"sha256:${zeros}0"`) },
  { what: 'a digest of MD5', body: layer(`"size":1,"digest":"md5:${zeros.slice(0, 32)}"`) },
  { what: 'a digest that is a path', body: layer('"size":1,"digest":"sha256:../../../../etc/passwd"') },
  { what: 'a digest with a line break', body: layer(`"size":1,"digest":"sha256:${zeros}\\n"`) },
  { what: 'a digest that is a number', body: layer('"size":1,"digest":1') },
  { what: 'no digest', body: layer('"size":1') },
  { what: 'no size', body: layer(`"digest":"sha256:${zeros}"`) },
  { what: 'a negative size', body: layer(`"size":-1,"digest":"sha256:${zeros}"`) },
  { what: 'a size beyond exact numbers', body: layer(`"size":9007199254740993,"digest":"sha256:${zeros}"`) },
  { what: 'a size that is text', body: layer(`"size":"1","digest":"sha256:${zeros}"`) },
  { what: 'an infinite size', body: layer(`"size":1e999,"digest":"sha256:${zeros}"`) },
  { what: 'a media type with a line break', body: image(`"layers":[],"artifactType":"a/b\\r\\nX: y"`) },
  { what: 'a subject that is text', body: image('"layers":[],"subject":"x"') },
  { what: 'annotations that are a list', body: image('"layers":[],"annotations":[]') },
  { what: 'an annotation that is a number', body: image('"layers":[],"annotations":{"a":1}') },
  { what: '10 000 arrays in each other', body: image(`"layers":[],"x":${nested('[', ']', 10_000)}`) },
  {
    what: '10 000 objects in each other',
    body: image(`"layers":[],"x":${nested('{"a":', '}', 10_000).replace(':}', ':1}')}`),
  },
  { what: 'a million open brackets', body: '['.repeat(1_000_000) },
  { what: '10 001 layers', body: image(`"layers":[${Array(10_001).fill(config).join(',')}]`) },
  {
    what: '200 000 members',
    body: image(`"layers":[],"x":{${Array.from({ length: 200_000 }, (_, i) => `"${i}":1`).join(',')}}`),
  },
  {
    what: 'a layer that is not here',
    body: layer(`"size":1,"digest":"sha256:${zeros}"`),
    code: 'MANIFEST_BLOB_UNKNOWN',
  },
  {
    what: 'a config that is not here',
    body: `{"schemaVersion":2,"config":{"mediaType":"a/b","size":1,"digest":"sha256:${zeros}"},"layers":[]}`,
    code: 'MANIFEST_BLOB_UNKNOWN',
  },
  {
    what: 'one layer that is here and one that is not',
    body: image(`"layers":[${config},{"mediaType":"a/b","size":1,"digest":"sha256:${zeros}"}]`),
    code: 'MANIFEST_BLOB_UNKNOWN',
  },
]

const tooLarge: Refusal[] = [
  {
    what: '5 MiB',
    body: image(`"layers":[],"x":"${'x'.repeat(5 * 1024 * 1024)}"`),
    status: 413,
    code: 'SIZE_INVALID',
  },
  { what: '5 MiB of spaces', body: good + ' '.repeat(5 * 1024 * 1024), status: 413, code: 'SIZE_INVALID' },
]

describe('A manifest that is refused leaves nothing behind:', () => {
  const groups = { notJson, ambiguous, mistyped, badDescriptors, tooLarge }
  for (const [group, refusals] of Object.entries(groups)) {
    test.each(refusals)(
      `${group}: $what`,
      async ({ body, type = ociManifest, untyped, status = 400, code }) => {
        const before = registry.stored.content()
        const tag = registry.random.word(20)
        const response = await put(body, untyped ? undefined : type, tag)
        expectRefusal(response, status, code ?? 'MANIFEST_INVALID')
        expect(response.text().length, 'the answer does not repeat the body').toBeLessThan(2000)
        expect((await repository.pullManifest(tag)).status).toBe(404)
        expect(registry.stored.content()).toEqual(before)
      },
    )
  }

  test('and no repository either', async () => {
    const [repositories, content] = [registry.stored.repositories(), registry.stored.content()]
    const fresh = registry.repository()
    const bytes = Buffer.from(good)
    const response = await fresh.sendManifest({ ...contentOf(bytes), mediaType: ociManifest }, 'v1')
    expectRefusal(response, 400, 'MANIFEST_BLOB_UNKNOWN')
    expectRefusal(await fresh.sendManifest({ ...contentOf('x'), mediaType: ociManifest }, 'v1'), 400)
    expect([registry.stored.repositories(), registry.stored.content()]).toEqual([repositories, content])
    expectRefusal(await fresh.get('tags/list'), 404, 'NAME_UNKNOWN')
  })

  test('a manifest without an end of its 5 MiB is refused as soon as it is too long', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(image('"layers":[],"x":"').slice(0, -1))
      for (;;) yield Buffer.alloc(64 * 1024, 'x')
    }
    const request = { method: 'PUT', headers: { 'content-type': ociManifest }, body: endless() }
    expectRefusal(await repository.send('manifests/endless', request), 413, 'SIZE_INVALID')
  })

  test('what is good is taken after all that', async () => {
    expect((await put(good, ociManifest, 'good')).status).toBe(201)
    expect((await put(index, ociIndex, 'index')).status).toBe(201)
    expect((await put(good, undefined, 'untyped')).status).toBe(201)
  })

  test('a refusal names the blobs that are missing', async () => {
    const missing = [`sha256:${zeros}`, `sha256:${'1'.repeat(64)}`]
    const layers = missing.map((digest) => `{"mediaType":"a/b","size":1,"digest":"${digest}"}`)
    const response = await put(image(`"layers":[${layers.join(',')}]`), ociManifest)
    const [error] = (response.json() as { errors: { detail?: unknown }[] }).errors
    expect(JSON.stringify(error?.detail)).toContain(missing[0])
    expect(JSON.stringify(error?.detail)).toContain(missing[1])
  })
})
