import {
  digestOf,
  descriptorOf,
  emptyJson,
  imageIndex,
  imageManifest,
  randomImage,
  type Content,
} from '@openregistry/testkit'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { errorCodesOf } from '../conformance/expectations.ts'
import type { Repository } from '../conformance/repository.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()
let repository: Repository
/** Manifests that are taken as they are. */
let good: Content[]

beforeAll(async () => {
  repository = registry.repository()
  const image = randomImage(registry.random)
  await repository.pushImage(image)
  await repository.pushBlob(emptyJson)
  const config = descriptorOf(emptyJson)
  good = [
    image.manifest,
    imageManifest({ config, layers: [config], annotations: { a: 'b' }, artifactType: 'a/b' }),
    imageManifest({ config, layers: [], subject: descriptorOf(image.manifest) }),
    imageManifest({ config, layers: [], family: 'docker' }),
    imageIndex({
      manifests: [descriptorOf(image.manifest, { platform: { os: 'linux', architecture: 'arm64' } })],
    }),
    imageIndex({ manifests: [], family: 'docker', subject: descriptorOf(image.manifest) }),
  ]
})

/**
 * Pushes something that may be a manifest. It is taken and comes back byte for byte, or it is refused with a code of
 * the specification and leaves nothing.
 */
async function expectTakenOrRefused(bytes: Buffer, mediaType: string): Promise<void> {
  const before = registry.stored.content()
  const tag = registry.random.word(20)
  const response = await repository.send(`manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: bytes,
  })
  if (response.status === 201) {
    const pulled = await repository.pullManifest(tag)
    expect(pulled.body.equals(bytes)).toBe(true)
    expect(pulled.header('docker-content-digest')).toBe(digestOf(bytes))
    // What was taken can also be looked at, listed and found.
    const api = `/api/v1/repositories/${encodeURIComponent(repository.name)}/manifests/${tag}`
    expect((await registry.http.send({ path: api })).status).toBe(200)
    return
  }
  expect([400, 413], response.text()).toContain(response.status)
  errorCodesOf(response)
  expect(registry.stored.content()).toEqual(before)
}

/** One of the good manifests, by any number. */
const anyGood = (number: number): Content => good[number % good.length]!

describe('A good manifest with', () => {
  test('some bytes changed, added or taken away', async () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(4),
      add: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom('"', '{', '}', '[', ',', '\0', '\\u0000', ':1,'),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(edit, { minLength: 1, maxLength: 4 }), async (number, edits) => {
        const { bytes, mediaType } = anyGood(number)
        let changed = bytes
        for (const { at, remove, add } of edits) {
          const place = Math.floor(at * changed.length)
          changed = Buffer.concat([
            changed.subarray(0, place),
            Buffer.from(add),
            changed.subarray(place + remove),
          ])
        }
        await expectTakenOrRefused(changed, mediaType)
      }),
      { numRuns: 250 },
    )
  })

  test('some of its values replaced', async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom<unknown>(
        null,
        -1,
        1e308,
        '',
        '\0',
        2,
        [],
        {},
        [[]],
        { digest: emptyJson.digest },
        'a'.repeat(100_000),
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), value, async (number, place, replacement) => {
        const { bytes, mediaType } = anyGood(number)
        const document = JSON.parse(bytes.toString()) as Record<string, unknown>
        const places = placesIn(document)
        const [holder, key] = places[place % places.length]!
        holder[key] = replacement
        await expectTakenOrRefused(Buffer.from(JSON.stringify(document)), mediaType)
      }),
      { numRuns: 250 },
    )
  })

  test('members that nobody knows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.string({ unit: 'grapheme' }),
        fc.jsonValue(),
        async (number, name, value) => {
          const { bytes, mediaType } = anyGood(number)
          const document = { ...(JSON.parse(bytes.toString()) as object), [name]: value }
          await expectTakenOrRefused(Buffer.from(JSON.stringify(document)), mediaType)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('another media type', async () => {
    const known = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json']
    const type = fc.oneof(fc.constantFrom(...known), fc.stringMatching(/^[!-~]{0,60}$/))
    await fc.assert(
      fc.asyncProperty(fc.nat(), type, async (number, mediaType) => {
        await expectTakenOrRefused(anyGood(number).bytes, mediaType)
      }),
      { numRuns: 100 },
    )
  })
})

test('any JSON, and any bytes', async () => {
  const type = fc.constantFrom(
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  )
  const body = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  await fc.assert(fc.asyncProperty(body, type, expectTakenOrRefused), { numRuns: 150 })
})

/** Every place of a document that holds a value: the object or array, and its key. */
function placesIn(value: unknown): [holder: Record<string, unknown>, key: string][] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap(
    (key) => [[holder, key], ...placesIn(holder[key])] as [Record<string, unknown>, string][],
  )
}
