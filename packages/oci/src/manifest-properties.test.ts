import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RegistryError } from './errors.ts'
import { scanJson } from './json-scan.ts'
import { parseManifest } from './manifest.ts'
import { manifestMediaTypes, mediaTypes } from './media-types.ts'

const digest = `sha256:${'1'.repeat(64)}`

/** The manifest, or null where the parser refuses it as it may; whatever else it throws is thrown on. */
function parseOrRefuse(
  bytes: Uint8Array,
  contentType: string | null,
): ReturnType<typeof parseManifest> | null {
  try {
    return parseManifest(bytes, contentType)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'MANIFEST_INVALID') return null
    throw error
  }
}

/** For bytes of which nothing is known but that they must not be changed and must not make the parser fail. */
function expectAnswer(bytes: Uint8Array, contentType: string | null): void {
  const before = bytes.slice()
  expect(() => parseOrRefuse(bytes, contentType)).not.toThrow()
  expect(bytes).toEqual(before)
}

const contentType = fc.oneof(
  fc.constantFrom<string | null>(null, ...manifestMediaTypes, ...Object.values(mediaTypes)),
  fc.string(),
)
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, -1, 2, '', [], {}, digest))
const mostly = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: odd })

/** A descriptor that is right or nearly so. */
const descriptor = fc.record(
  {
    mediaType: mostly(fc.constantFrom(...Object.values(mediaTypes))),
    digest: mostly(fc.constant(digest)),
    size: mostly(fc.maxSafeNat()),
    annotations: mostly(fc.dictionary(fc.string(), fc.string())),
    platform: mostly(fc.dictionary(fc.string(), fc.string())),
  },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
)

const common = {
  schemaVersion: mostly(fc.constant(2)),
  subject: mostly(descriptor),
  artifactType: mostly(fc.constant('a/b')),
  annotations: mostly(fc.dictionary(fc.string(), fc.string())),
  data: odd,
}
const descriptors = mostly(fc.array(descriptor, { maxLength: 3 }))
const image = fc.record(
  {
    ...common,
    mediaType: mostly(fc.constant(mediaTypes.ociManifest)),
    config: mostly(descriptor),
    layers: descriptors,
  },
  { requiredKeys: ['schemaVersion', 'config', 'layers'] },
)
const index = fc.record(
  { ...common, mediaType: mostly(fc.constant(mediaTypes.ociIndex)), manifests: descriptors },
  { requiredKeys: ['schemaVersion', 'manifests'] },
)

/** A manifest that is right or nearly so, or both kinds in one. */
const document = fc.oneof(
  image,
  index,
  fc.tuple(image, index).map(([one, other]) => ({ ...one, ...other })),
)

test('any bytes are a manifest or MANIFEST_INVALID', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), contentType, (bytes, type) => expectAnswer(bytes, type)),
  )
})

test('any text of braces, quotes and escapes is a manifest or MANIFEST_INVALID', () => {
  const unit = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    'u',
    '0',
    'd8',
    'a',
    ' ',
    '\0',
    '\ud800',
    '-',
  )
  fc.assert(
    fc.property(fc.string({ unit }), contentType, (text, type) => {
      expectAnswer(new TextEncoder().encode(text), type)
    }),
    { numRuns: 1000 },
  )
})

test('whatever is accepted keeps the promises of its type', () => {
  let images = 0
  let indexes = 0
  fc.assert(
    fc.property(
      document,
      fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, contentType),
      (value, type) => {
        const parsed = parseOrRefuse(new TextEncoder().encode(JSON.stringify(value)), type)
        if (parsed === null) return
        if (parsed.kind === 'image') images++
        else indexes++
        expect(manifestMediaTypes).toContain(parsed.mediaType)
        expect(parsed.config === null).toBe(parsed.kind === 'index')
        expect(parsed.kind === 'image' ? parsed.manifests : parsed.layers).toEqual([])
        for (const { size, digest: named } of [...parsed.layers, ...parsed.manifests]) {
          expect(Number.isSafeInteger(size) && size >= 0).toBe(true)
          expect(named).toBe(digest)
        }
        for (const text of Object.values(parsed.annotations ?? {})) expect(typeof text).toBe('string')
      },
    ),
    { numRuns: 1000 },
  )
  expect(Math.min(images, indexes)).toBeGreaterThan(50)
})

test('a good manifest with a byte changed, added or left out is a manifest or MANIFEST_INVALID', () => {
  const entry = { mediaType: 'a/b', digest, size: 1, data: 'YQ==', annotations: { 'a\u00e9': '\u2028' } }
  const good = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, config: entry, layers: [entry] }))
  expect(parseOrRefuse(good, null)).not.toBeNull()
  fc.assert(
    fc.property(
      fc.nat({ max: good.length - 1 }),
      fc.nat({ max: 2 }),
      fc.nat({ max: 255 }),
      (at, removed, byte) => {
        const inserted = removed === 2 ? [] : [byte]
        const tail = good.subarray(at + Math.min(removed, 1))
        expectAnswer(Uint8Array.from([...good.subarray(0, at), ...inserted, ...tail]), null)
      },
    ),
    { numRuns: 1000 },
  )
})

test('the scan takes every JSON text without doubles, and none with one', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '{', '}', '[', ',', ':', 'é', '😀') })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.oneof(plain, fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(plain, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, value, plain, fc.nat({ max: 4 }), (before, inside, name, indent) => {
      const text = JSON.stringify(before, null, indent)
      expect(() => scanJson(text)).not.toThrow()
      const quoted = JSON.stringify(name)
      const escaped = `"${Array.from({ length: name.length }, (_, i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
      const doubled = `[${text},{${quoted}:${JSON.stringify(inside)},${escaped}:0}]`
      expect(() => scanJson(doubled)).toThrow(/occurs twice/)
    }),
  )
})
