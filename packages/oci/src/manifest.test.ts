import { describe, expect, test } from 'vitest'
import { descriptorLimit, parseManifest } from './manifest.ts'
import { mediaTypes } from './media-types.ts'

const digest = `sha256:${'1'.repeat(64)}`
const sha512 = `sha512:${'2'.repeat(128)}`
const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 }
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: sha512, size: 1000 }
const child = { mediaType: mediaTypes.ociManifest, digest, size: 500 }
const image = { schemaVersion: 2, config, layers: [layer] }
const index = { schemaVersion: 2, manifests: [child] }

function parse(document: unknown, contentType: string | null): ReturnType<typeof parseManifest> {
  return parseManifest(new TextEncoder().encode(JSON.stringify(document)), contentType)
}

describe('image manifests', () => {
  test('are read whole', () => {
    const subject = { ...child, size: 7 }
    const annotations = { 'org.example.a': 'b', '': '' }
    const document = {
      ...image,
      mediaType: mediaTypes.ociManifest,
      artifactType: 'a/b',
      subject,
      annotations,
    }
    expect(parse(document, mediaTypes.ociManifest)).toEqual({
      mediaType: mediaTypes.ociManifest,
      kind: 'image',
      config,
      layers: [layer],
      manifests: [],
      subject,
      artifactType: 'a/b',
      annotations,
    })
  })

  test('show the type of their config where they have no artifact type', () => {
    expect(parse(image, mediaTypes.ociManifest).artifactType).toBe(mediaTypes.ociConfig)
    expect(parse({ ...image, artifactType: '' }, mediaTypes.ociManifest).artifactType).toBe(
      mediaTypes.ociConfig,
    )
  })

  test('may have no layers, written as an empty list or as null', () => {
    expect(parse({ ...image, layers: [] }, mediaTypes.ociManifest).layers).toEqual([])
    expect(parse({ ...image, layers: null }, mediaTypes.ociManifest).layers).toEqual([])
  })

  test('of Docker schema 2 are read alike', () => {
    const document = { ...image, mediaType: mediaTypes.dockerManifest }
    expect(parse(document, mediaTypes.dockerManifest)).toMatchObject({
      mediaType: mediaTypes.dockerManifest,
      kind: 'image',
      layers: [layer],
    })
  })

  test('may have members that nobody knows, at every level', () => {
    const document = {
      ...image,
      layers: [{ ...layer, newUnspecifiedField: null, 'org.example': { a: [1, { b: 2 }] } }],
      custom: [1, 'x', null, true],
      signatures: [],
      '': 0,
    }
    expect(parse(document, mediaTypes.ociManifest).layers).toEqual([layer])
  })

  test('keep all that descriptors say', () => {
    const full = {
      mediaType: 'text/plain; charset=utf-8',
      digest,
      size: 3,
      urls: ['https://example.com/a', 'ipfs://bafkqaaa'],
      annotations: { a: 'b' },
      artifactType: 'x/y',
      platform: { os: 'linux', 'os.features': ['x'] },
      data: 'YWJj',
    }
    expect(parse({ ...image, layers: [full] }, mediaTypes.ociManifest).layers).toEqual([full])
    const empty = { urls: null, annotations: null, artifactType: null, platform: null, data: null }
    expect(parse({ ...image, layers: [{ ...layer, ...empty }] }, mediaTypes.ociManifest).layers).toEqual([
      layer,
    ])
  })

  test.each([
    ['', 0],
    ['YQ==', 1],
    ['YWI=', 2],
    ['e30=', 2],
    ['+/+/', 3],
  ])('take embedded data %j of %i bytes', (data, size) => {
    const parsed = parse({ ...image, config: { ...config, size, data } }, mediaTypes.ociManifest)
    expect(parsed.config).toEqual({ ...config, size, data })
  })

  test.each([0, Number.MAX_SAFE_INTEGER])('take the size %i', (size) => {
    expect(parse({ ...image, config: { ...config, size } }, mediaTypes.ociManifest).config?.size).toBe(size)
  })

  test('may be odd JSON: white space, escapes, any order, a name like __proto__', () => {
    const text = `\r\n\t {"layers":[ ],"\\u0063onfig":${JSON.stringify(config)} , "annotations":{"__proto__":"x","\\"":"\\ud83d\\ude00"},"schemaVersion":2.0e0}\n`
    const parsed = parseManifest(new TextEncoder().encode(text), mediaTypes.ociManifest)
    expect(parsed.config).toEqual(config)
    expect(Object.entries(parsed.annotations!)).toEqual([
      ['__proto__', 'x'],
      ['"', '😀'],
    ])
  })
})

describe('indexes', () => {
  test('are read whole', () => {
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' }
    const nested = { ...child, mediaType: mediaTypes.ociIndex }
    const document = {
      ...index,
      manifests: [{ ...child, platform }, nested],
      subject: child,
      annotations: {},
    }
    expect(parse(document, mediaTypes.ociIndex)).toEqual({
      mediaType: mediaTypes.ociIndex,
      kind: 'index',
      config: null,
      layers: [],
      manifests: [{ ...child, platform }, nested],
      subject: child,
      artifactType: null,
      annotations: {},
    })
    expect(parse({ ...index, artifactType: 'a/b' }, mediaTypes.ociIndex).artifactType).toBe('a/b')
  })

  test('may be empty, and may be Docker manifest lists', () => {
    expect(parse({ ...index, manifests: [] }, mediaTypes.ociIndex).manifests).toEqual([])
    expect(parse({ ...index, manifests: null }, null)).toMatchObject({ kind: 'index', manifests: [] })
    expect(parse(index, mediaTypes.dockerManifestList)).toMatchObject({ kind: 'index', manifests: [child] })
  })

  test('may have as many children as the limit', () => {
    const manifests = Array.from({ length: descriptorLimit }, () => child)
    expect(parse({ ...index, manifests }, mediaTypes.ociIndex).manifests).toHaveLength(descriptorLimit)
    expect(() => parse({ ...index, manifests: [...manifests, child] }, mediaTypes.ociIndex)).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', detail: { path: 'manifests' } }),
    )
  })
})

describe('the media type', () => {
  test.each([
    [image, `${mediaTypes.ociManifest}; charset=utf-8`, mediaTypes.ociManifest],
    [image, ` ${mediaTypes.ociManifest.toUpperCase()} ;q=1;`, mediaTypes.ociManifest],
    [image, null, mediaTypes.ociManifest],
    [image, '', mediaTypes.ociManifest],
    [index, null, mediaTypes.ociIndex],
    [{ ...image, mediaType: mediaTypes.dockerManifest }, null, mediaTypes.dockerManifest],
    [{ ...image, mediaType: '' }, mediaTypes.dockerManifest, mediaTypes.dockerManifest],
    [{ ...index, mediaType: null }, null, mediaTypes.ociIndex],
    [{ ...index, mediaType: mediaTypes.dockerManifestList }, ';', mediaTypes.dockerManifestList],
  ])('of %j with header %j is %s', (document, contentType, mediaType) => {
    expect(parse(document, contentType).mediaType).toBe(mediaType)
  })
})
