import { spawnSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { parseManifest } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { descriptorOf, digestOf } from './content.ts'
import { layerOf, randomArtifact, randomImage, randomMultiPlatformImage } from './images.ts'
import { randomFrom } from './random.ts'
import { tarOf } from './tar.ts'

describe('random source', () => {
  test('the same seed gives the same values, another seed others', () => {
    const take = (seed: string) => {
      const random = randomFrom(seed)
      return [random.bytes(33).toString('hex'), random.integer(0, 1e9), random.word(9)]
    }
    expect(take('a')).toEqual(take('a'))
    expect(take('a')).not.toEqual(take('b'))
  })

  test('numbers keep their bounds and reach them', () => {
    const random = randomFrom(1)
    const seen = new Set(Array.from({ length: 200 }, () => random.integer(2, 4)))
    expect([...seen].toSorted((a, b) => a - b)).toEqual([2, 3, 4])
    expect(random.word(20)).toMatch(/^[a-z][a-z0-9]{19}$/)
  })
})

test('an archive is one that tar reads', () => {
  const archive = tarOf([
    { path: 'etc/motd', bytes: Buffer.from('hello\n') },
    { path: 'bin/run', bytes: Buffer.alloc(1024, 'x'), mode: 0o755 },
  ])
  const list = spawnSync('tar', ['-tvf', '-'], { input: archive, encoding: 'utf8' })
  expect(list.stderr).toBe('')
  expect(list.stdout).toMatch(/^-rw-r--r--.* 6 .*etc\/motd$/m)
  expect(list.stdout).toMatch(/^-rwxr-xr-x.* 1024 .*bin\/run$/m)
})

test('a layer unpacks to its diff id', () => {
  const layer = layerOf([{ path: 'a', bytes: Buffer.from('1') }])
  expect(digestOf(gunzipSync(layer.bytes))).toBe(layer.diffId)
  expect(digestOf(layer.bytes)).toBe(layer.digest)
})

describe.each(['oci', 'docker'] as const)('an image of %s', (family) => {
  test('is deterministic and lists its blobs', () => {
    const image = randomImage(randomFrom('image'), { family, layers: 3 })
    expect(image).toEqual(randomImage(randomFrom('image'), { family, layers: 3 }))
    const manifest = JSON.parse(image.manifest.bytes.toString()) as { config: object; layers: object[] }
    expect([manifest.config, ...manifest.layers]).toEqual(image.blobs.map((blob) => descriptorOf(blob)))
  })

  test('is one that the registry takes', () => {
    const { index, images } = randomMultiPlatformImage(randomFrom('index'), { family })
    for (const { bytes, mediaType } of [index, ...images.map((image) => image.manifest)]) {
      expect(parseManifest(bytes, mediaType).mediaType).toBe(mediaType)
    }
  })
})

test('an artifact names its subject, and sha512 runs through all of it', () => {
  const subject = descriptorOf(randomImage(randomFrom(1)).manifest)
  const artifact = randomArtifact(randomFrom(2), {
    artifactType: 'application/x.sbom',
    subject,
    algorithm: 'sha512',
  })
  expect(JSON.parse(artifact.manifest.bytes.toString())).toMatchObject({
    artifactType: 'application/x.sbom',
    subject,
    config: { digest: digestOf(Buffer.from('{}'), 'sha512') },
  })
  expect(artifact.manifest.digest).toBe(digestOf(artifact.manifest.bytes, 'sha512'))
})
