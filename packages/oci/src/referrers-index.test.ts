import { expect, test } from 'vitest'
import { parseDigest } from './digest.ts'
import { fallbackTagOf } from './fallback-tag.ts'
import { parseManifest } from './manifest.ts'
import { mediaTypes } from './media-types.ts'
import { formatReferrersIndex } from './referrers-index.ts'
import { parseTag } from './tag.ts'

const digest = parseDigest(`sha256:${'b'.repeat(64)}`)

test('a list without entries is an empty index', () => {
  expect(JSON.parse(formatReferrersIndex([]))).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  })
})

test('entries have what is known and nothing else', () => {
  const annotations = { 'org.example.a': '1' }
  const image = { digest, mediaType: mediaTypes.ociManifest, size: 7, artifactType: 'a/b', annotations }
  const index = { digest, mediaType: mediaTypes.ociIndex, size: 9, artifactType: null, annotations: null }
  const text = formatReferrersIndex([image, index])
  expect((JSON.parse(text) as { manifests: unknown[] }).manifests).toEqual([
    { mediaType: mediaTypes.ociManifest, digest, size: 7, artifactType: 'a/b', annotations },
    { mediaType: mediaTypes.ociIndex, digest, size: 9 },
  ])
  const parsed = parseManifest(new TextEncoder().encode(text), mediaTypes.ociIndex)
  expect(parsed.manifests).toHaveLength(2)
})

test('the fallback tag is the digest, cut to 64 digits', () => {
  const sha512 = parseDigest(`sha512:${'a'.repeat(64)}${'b'.repeat(64)}`)
  expect(fallbackTagOf(digest)).toBe(`sha256-${'b'.repeat(64)}`)
  expect(fallbackTagOf(sha512)).toBe(`sha512-${'a'.repeat(64)}`)
  expect(parseTag(fallbackTagOf(sha512))).toBe(fallbackTagOf(sha512))
})
