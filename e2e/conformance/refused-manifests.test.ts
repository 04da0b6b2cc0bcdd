import { mediaTypes } from '@openregistry/oci'
import { descriptorOf, emptyJson } from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { errorCodesOf } from './expectations.ts'
import type { Repository } from './repository.ts'
import { useTarget } from './target.ts'

const target = useTarget()
const config = JSON.stringify(descriptorOf(emptyJson))
const zeros = `sha256:${'0'.repeat(64)}`

/** A manifest with this in place of its layers and what follows them. */
const image = (rest: string): string => `{"schemaVersion":2,"config":${config},"layers":${rest}}`

/** A manifest with one layer of these fields. */
const layer = (fields: string): string => image(`[{"mediaType":"a/b",${fields}}]`)

/** Bodies that are no manifest of the type they are pushed under, by what is wrong. */
const notManifests: Readonly<Record<string, string>> = {
  'an empty body': '',
  'no JSON': 'hello',
  'JSON that is cut off': '{"schemaVersion":2,',
  'an array': '[]',
  'a number': '2',
  null: 'null',
  'two documents': `${image('[]')}{}`,
  'a config that is no descriptor': '{"schemaVersion":2,"config":"x","layers":[]}',
  'layers that are no list': image('{}'),
  'a layer with a malformed digest': layer('"size":1,"digest":"sha256:x"'),
  'an upper-case digest': layer(`"size":1,"digest":"sha256:${'A'.repeat(64)}"`),
  'a media type that contradicts Content-Type': image(`[],"mediaType":"${mediaTypes.dockerManifest}"`),
  'an index pushed as an image': `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[]}`,
}

/** What the specification leaves open, and we refuse. */
const refusedByUs: Readonly<Record<string, string>> = {
  'an empty object': '{}',
  'schema version 1': image('[],"schemaVersion":1'),
  'a layer that is null': image('[null]'),
  'a layer of negative size': layer(`"size":-1,"digest":"${zeros}"`),
  'a layer of half a byte': layer(`"size":0.5,"digest":"${zeros}"`),
  'both manifests and layers (CVE-2021-41190)': image('[],"manifests":[]'),
  'a subject that is no descriptor': image('[],"subject":"x"'),
  'annotations that are no text': image('[],"annotations":{"a":1}'),
  'the same key twice': image('[],"layers":[]'),
  'bytes that are no UTF-8': image('[],"x":"\xff"'),
  'ten thousand levels': image(`[],"x":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
}

describe('Pushing Manifests (end-7a): what is none is refused, and leaves nothing behind', () => {
  let repository: Repository

  beforeAll(async () => {
    repository = target.repository()
    await repository.pushBlob(emptyJson)
    await repository.pushManifest(
      {
        ...emptyJson,
        bytes: Buffer.from(image('[]')),
        mediaType: mediaTypes.ociManifest,
      },
      'good',
    )
  })

  async function expectRefused(body: string, mediaType: string): Promise<void> {
    const response = await repository.send('manifests/bad', {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: Buffer.from(body, 'latin1'),
    })
    expect(response.status, response.text()).toBeGreaterThanOrEqual(400)
    expect(response.status, response.text()).toBeLessThan(500)
    const [code] = errorCodesOf(response)
    expect(['MANIFEST_INVALID', 'DIGEST_INVALID', 'UNSUPPORTED', 'SIZE_INVALID']).toContain(code)
    expect((await repository.pullManifest('bad')).status).toBe(404)
  }

  test.each(Object.entries(notManifests))('%s', async (_, body) => {
    await expectRefused(body, mediaTypes.ociManifest)
  })

  test.for(Object.entries(refusedByUs))('%s', async ([, body], context) => {
    target.oursAlone(context)
    await expectRefused(body, mediaTypes.ociManifest)
  })

  test('an image pushed as an index', async () => {
    await expectRefused(image(`[],"mediaType":"${mediaTypes.ociManifest}"`), mediaTypes.ociIndex)
  })

  test('schema 1 of Docker, and types that are no manifest', async () => {
    await expectRefused('{"schemaVersion":1,"fsLayers":[]}', mediaTypes.dockerSchema1Signed)
    await expectRefused(image('[]'), 'text/plain')
    await expectRefused(image('[]'), 'application/octet-stream')
  })
})
