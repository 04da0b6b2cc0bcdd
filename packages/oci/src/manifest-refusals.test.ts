import { describe, expect, test } from 'vitest'
import { memberLimit, nestingLimit } from './json-scan.ts'
import { parseManifest } from './manifest.ts'
import { manifestMediaTypes, mediaTypes } from './media-types.ts'

const digest = `sha256:${'1'.repeat(64)}`
const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 }
const layer = { mediaType: mediaTypes.ociLayerGzip, digest, size: 3 }
const image = { schemaVersion: 2, config, layers: [layer] }
const index = { schemaVersion: 2, manifests: [layer] }
const { ociManifest, ociIndex } = mediaTypes

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const refused = (message: RegExp): object =>
  expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringMatching(message) as string })
const refusedAt = (path: string, message: RegExp): object =>
  expect.objectContaining({
    code: 'MANIFEST_INVALID',
    message: expect.stringMatching(message) as string,
    detail: { path },
  })

/** A copy of the document with one member set; undefined leaves it out. */
function withMember(document: object, path: string, value: unknown): object {
  const copy = structuredClone(document)
  const names = Array.from(
    path.matchAll(/\["([^"]+)"\]|([^.[\]]+)/g),
    ([, quoted, plain]) => quoted ?? plain!,
  )
  const last = names.pop()!
  let target = copy as Record<string, unknown>
  for (const name of names) target = (target[name] ??= {}) as Record<string, unknown>
  target[last] = value
  return copy
}

describe('descriptors', () => {
  test.each([
    ['config', null, /is missing/],
    ['config', undefined, /is missing/],
    ['config', [], /must be a descriptor/],
    ['config', 'x', /must be a descriptor/],
    ['layers', undefined, /is missing/],
    ['layers', {}, /must be an array/],
    ['layers[0]', null, /is missing/],
    ['layers[0].mediaType', undefined, /is missing/],
    ['layers[0].mediaType', '', /is missing/],
    ['layers[0].mediaType', 5, /must be a string/],
    ['layers[0].mediaType', 'a/b\n', /printable ASCII/],
    ['layers[0].mediaType', 'a'.repeat(256), /at most 255/],
    ['layers[0].digest', undefined, /is missing/],
    ['layers[0].digest', 5, /must be a string/],
    ['layers[0].digest', 'sha256:xyz', /needs 64 hex digits/],
    ['layers[0].digest', `SHA256:${'a'.repeat(64)}`, /must be lower-case/],
    ['layers[0].digest', `md5:${'a'.repeat(32)}`, /md5 is not supported/],
    ['layers[0].size', undefined, /is missing/],
    ['layers[0].size', -1, /integer from 0/],
    ['layers[0].size', 1.5, /integer from 0/],
    ['layers[0].size', 2 ** 53, /integer from 0/],
    ['layers[0].size', '3', /integer from 0/],
    ['layers[0].urls', 'https://example.com', /array of strings/],
    ['layers[0].urls', [1], /array of strings/],
    ['layers[0].annotations', [], /object of strings/],
    ['layers[0].annotations.a', 1, /must be a string/],
    ['layers[0].annotations["org.example/a"]', null, /must be a string/],
    ['layers[0].artifactType', 1, /must be a string/],
    ['layers[0].platform', 'linux', /must be a JSON object/],
    ['layers[0].data', 5, /must be a string/],
    ['layers[0].data', 'YWI=', /has 2 bytes, but size says 3/],
    ['layers[0].data', 'YWJjYQ==', /has 4 bytes, but size says 3/],
    ['layers[0].data', 'YWJ', /base64/],
    ['layers[0].data', 'YW-j', /base64/],
    ['layers[0].data', 'Y===', /base64/],
    ['layers[0].data', 'YW=j', /base64/],
    ['layers[0].data', 'YWJj\n', /base64/],
    ['subject', 'x', /must be a descriptor/],
    ['subject.digest', 'x', /no colon/],
    ['artifactType', {}, /must be a string/],
    ['annotations', 'x', /object of strings/],
    ['annotations.a', {}, /must be a string/],
    ['mediaType', 7, /must be a string/],
    ['schemaVersion', undefined, /must be the number 2/],
    ['schemaVersion', '2', /must be the number 2/],
    ['schemaVersion', 3, /must be the number 2/],
    ['Layers', [], /must be written layers/],
    ['layers[0].Digest', digest, /must be written digest/],
    ['layers[0]["ſize"]', 5, /must be written size/],
  ])('with %s as %j', (path, value, message) => {
    const document = withMember({ ...image, subject: { ...layer } }, path, value)
    expect(() => parseManifest(bytesOf(JSON.stringify(document)), ociManifest)).toThrow(
      refusedAt(path, message),
    )
  })

  test('of an index are checked alike', () => {
    const parse = (document: unknown) => (): unknown =>
      parseManifest(bytesOf(JSON.stringify(document)), ociIndex)
    expect(parse(withMember(index, 'manifests', undefined))).toThrow(refusedAt('manifests', /missing/))
    expect(parse(withMember(index, 'manifests[0].size', -1))).toThrow(refusedAt('manifests[0].size', /./))
    expect(parse(withMember(index, 'subject', 5))).toThrow(refusedAt('subject', /./))
  })
})

describe('the document', () => {
  test.each([
    ['', /is empty/],
    ['\ufeff{}', /byte order mark/],
    ['nonsense', /not valid JSON/],
    ['{"schemaVersion":2,', /not valid JSON/],
    ["{'schemaVersion':2}", /not valid JSON/],
    ['{"schemaVersion":2}{}', /not valid JSON/],
    [`${JSON.stringify(index)}\0`, /not valid JSON/],
    ['{"a":"\0"}', /not valid JSON/],
    ['"\\', /not valid JSON/],
    ['null', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['"text"', /not a JSON object/],
    ['5', /not a JSON object/],
    ['{"a":"\\u0000"}', /at a: it contains the character NUL/],
    ['{"a":[0,"\\ud800"]}', /at a\[1\]: it contains half of a surrogate pair/],
    ['{"a":1,"b":2,"a":3}', /at a: it occurs twice/],
    ['{"a":1,"\\u0061":3}', /at a: it occurs twice/],
    ['{"x":[{"y":{"b c":1,"b c":1}}]}', /at x\[0\]\.y\["b c"\]: it occurs twice/],
  ])('as %j', (text, message) => {
    expect(() => parseManifest(bytesOf(text), ociIndex)).toThrow(refused(message))
  })

  test('that is not UTF-8', () => {
    for (const bytes of [
      [0xff],
      [0x22, 0xc3, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
    ]) {
      expect(() => parseManifest(Uint8Array.from(bytes), ociIndex)).toThrow(refused(/not UTF-8/))
    }
  })

  test.each(['[', '{"a":', '[{"a":'])('that is 10 000 times %s, or just too deep', (open) => {
    expect(() => parseManifest(bytesOf(open.repeat(10_000)), ociIndex)).toThrow(
      refused(/nested deeper than 100/),
    )
  })

  test('that is nested as deep as the limit, and a level more', () => {
    const nested = (depth: number): Uint8Array =>
      bytesOf(`{"schemaVersion":2,"manifests":[],"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`)
    expect(parseManifest(nested(nestingLimit), ociIndex).kind).toBe('index')
    expect(() => parseManifest(nested(nestingLimit + 1), ociIndex)).toThrow(refused(/nested deeper/))
  })

  test('that has more members than the limit', () => {
    const names = (count: number): string => Array.from({ length: count }, (_, i) => `"k${i}":0`).join()
    const text = (count: number): Uint8Array =>
      bytesOf(`{"schemaVersion":2,"manifests":[],${names(count - 2)}}`)
    expect(parseManifest(text(memberLimit), ociIndex).kind).toBe('index')
    expect(() => parseManifest(text(memberLimit + 1), ociIndex)).toThrow(refused(/more than 100000 members/))
  })
})

describe('the media type', () => {
  test.each([
    [image, mediaTypes.dockerSchema1, /schema 1, which is not supported; push the image again/],
    [{ schemaVersion: 1, fsLayers: [] }, mediaTypes.dockerSchema1Signed, /schema 1/],
    [{ schemaVersion: 1, fsLayers: [] }, ociManifest, /schema 1/],
    [{ schemaVersion: 1, fsLayers: [] }, null, /schema 1/],
    [{ ...image, mediaType: mediaTypes.dockerSchema1 }, null, /schema 1/],
    [{ blobs: [] }, mediaTypes.ociArtifactManifest, /OCI artifact manifest, which OCI 1.1 dropped/],
    [{ mediaType: mediaTypes.ociArtifactManifest }, null, /OCI artifact manifest/],
    [image, 'text/plain', /send application\/vnd\.oci\.image\.manifest\.v1\+json, .* or .*list\.v2\+json\.$/],
    [image, 'application/json', /not supported; send/],
    [image, `${ociManifest},${ociManifest}`, /not supported; send/],
    [{ ...image, mediaType: 'a/b' }, null, /not supported; send/],
    [{ ...image, mediaType: ociManifest.toUpperCase() }, null, /not supported; send/],
    [{ schemaVersion: 2 }, null, /no mediaType, and the request no Content-Type/],
    [{ schemaVersion: 2, config }, null, /no mediaType/],
    [{ ...image, mediaType: ociIndex }, ociManifest, /at mediaType: it says .*index.* but the Content-Type/],
    [{ ...index, mediaType: ociManifest }, ociIndex, /at mediaType/],
    [{ ...image, mediaType: mediaTypes.dockerManifest }, ociManifest, /at mediaType/],
    [image, ociIndex, /at manifests: it is missing|cannot be/],
    [index, ociManifest, /at config/],
  ])('of %j with header %j', (document, contentType, message) => {
    expect(() => parseManifest(bytesOf(JSON.stringify(document)), contentType)).toThrow(refused(message))
  })

  test.each([...manifestMediaTypes, null])('%s: never both image and index', (contentType) => {
    for (const extra of [{ manifests: [] }, { manifests: [layer] }, { manifests: {} }]) {
      const parse = (document: object) => (): unknown =>
        parseManifest(bytesOf(JSON.stringify(document)), contentType)
      expect(parse({ ...image, ...extra })).toThrow(refusedAt('manifests', /cannot be in one manifest/))
      expect(parse({ schemaVersion: 2, config, ...extra })).toThrow(refused(/cannot be in one manifest/))
      expect(parse({ schemaVersion: 2, layers: [], ...extra })).toThrow(refused(/cannot be in one manifest/))
    }
  })
})
