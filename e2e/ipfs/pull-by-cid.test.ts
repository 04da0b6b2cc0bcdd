import { digestHex, mediaTypes } from '@openregistry/oci'
import {
  contentOf,
  descriptorOf,
  digestOf,
  imageIndex,
  imageManifest,
  randomImage,
  randomMultiPlatformImage,
  type Content,
  type HttpResponse,
  type MultiPlatformImage,
} from '@openregistry/testkit'
import { beforeAll, describe, expect, test } from 'vitest'
import { useRegistry } from '../adversarial/local-registry.ts'
import { Repository } from '../conformance/repository.ts'
import { blocksOf, contentsOf } from './image-blocks.ts'

const registry = useRegistry()
const name = 'by/cid'
let image: MultiPlatformImage
let layout: string

beforeAll(async () => {
  image = randomMultiPlatformImage(registry.random, { layerSize: 1_500_000 })
  await push(name, image, 'v1')
  layout = await cidOf(name, 'v1')
})

async function push(repository: string, { index, images }: MultiPlatformImage, tag: string): Promise<void> {
  const target = new Repository(registry.http, repository)
  for (const one of images) await target.pushImage(one)
  await target.pushManifest(index, tag)
}

function askForCid(repository: string, reference?: string): Promise<HttpResponse> {
  const query = reference === undefined ? '' : `?reference=${reference}`
  return registry.http.send({ path: `/api/v1/repositories/${encodeURIComponent(repository)}/cid${query}` })
}

async function cidOf(repository: string, reference?: string): Promise<string> {
  const answer = await askForCid(repository, reference)
  expect(answer.status, answer.text()).toBe(200)
  return (answer.json() as { cid: string }).cid
}

const below = (rest: string, headers: Record<string, string> = {}, method = 'GET') =>
  registry.http.send({ method, path: `/v2/ipfs/${layout}/${rest}`, headers })

describe('The CID of an image', () => {
  test('is that of its layout as other tools make it, and follows from its digest alone', async () => {
    const { layout: expected } = await blocksOf(image, 'v1')
    expect(layout).toBe(expected)
    await push('another/name', image, 'other')
    expect(await cidOf('another/name', 'other')).toBe(expected)
    expect(await cidOf('another/name', image.index.digest)).toBe(expected)
  })

  test('is told with the manifest once it is known', async () => {
    const manifest = (reference: string, method: string) =>
      registry.http.send({ method, path: `/v2/${name}/manifests/${reference}` })
    for (const method of ['GET', 'HEAD']) {
      for (const reference of ['v1', image.index.digest]) {
        expect((await manifest(reference, method)).header('openregistry-layout-cid')).toBe(layout)
      }
      const child = image.images[0]!.manifest.digest
      expect((await manifest(child, method)).header('openregistry-layout-cid')).toBeNull()
    }
  })

  test('is not there while a platform is missing; the answer says which', async () => {
    const part = randomMultiPlatformImage(registry.random)
    const repository = new Repository(registry.http, 'in/parts')
    await repository.pushImage(part.images[0]!)
    await repository.pushManifest(part.index, 'v1')
    const refused = await askForCid('in/parts', 'v1')
    expect(refused.status).toBe(409)
    const { digest } = part.images[1]!.manifest
    expect(refused.json()).toMatchObject({ code: 'CONFLICT', context: { missing: [digest] } })
    expect(refused.text()).toContain(digest)
    expect((await askForCid('in/parts', 'v1&form=nerdctl')).status).toBe(409)
    expect((await askForCid('in/parts')).json()).toMatchObject({ tags: 0, leftOut: ['v1'] })
    await repository.pushImage(part.images[1]!)
    expect(await cidOf('in/parts', 'v1')).toBe((await blocksOf(part, 'v1')).layout)
    expect((await askForCid('in/parts')).json()).toMatchObject({ tags: 1, leftOut: [] })
  })

  test('leaves out layers that no registry has', async () => {
    const { manifest, blobs } = randomImage(registry.random)
    const [config, layer] = blobs
    const foreign = {
      ...descriptorOf(contentOf(registry.random.bytes(10))),
      mediaType: mediaTypes.ociForeignLayer,
      urls: ['https://example.org/layer'],
    }
    const windows = imageManifest({
      config: descriptorOf(config!),
      layers: [descriptorOf(layer!), foreign],
    })
    expect(windows.digest).not.toBe(manifest.digest)
    await new Repository(registry.http, 'win/app').pushImage(
      { manifest: windows, blobs: [config!, layer!] },
      'v1',
    )
    const cid = await cidOf('win/app', 'v1')
    const blob = (digest: string) => registry.http.send({ path: `/v2/ipfs/${cid}/blobs/${digest}` })
    expect((await blob(layer!.digest)).status).toBe(200)
    expect((await blob(foreign.digest)).status).toBe(404)
  })

  test('of an image whose digests are sha512 has them under their name', async () => {
    const long = randomImage(registry.random, { algorithm: 'sha512' })
    await new Repository(registry.http, 'long/app').pushImage(long, long.manifest.digest)
    const cid = await cidOf('long/app', long.manifest.digest)
    for (const content of [long.manifest, ...long.blobs]) {
      const path = `/ipfs/${cid}/blobs/sha512/${digestHex(content.digest)}?format=car`
      expect((await registry.http.send({ path })).body.includes(content.bytes)).toBe(true)
    }
    const pulled = await registry.http.send({ path: `/v2/ipfs/${cid}/manifests/latest` })
    expect(pulled.header('docker-content-digest')).toBe(long.manifest.digest)
  })
})

describe('The form for nerdctl', () => {
  interface Located {
    digest: string
    size: number
    urls?: string[]
    config?: Located
    layers?: Located[]
    manifests?: Located[]
  }
  const ask = (reference: string) => {
    const path = `/api/v1/repositories/${encodeURIComponent(name)}/cid?form=nerdctl${reference}`
    return registry.http.send({ path })
  }

  test('leads to everything of the image through the gateway, by CIDs alone', async () => {
    const answer = await ask('&reference=v1')
    const { cid, digest } = answer.json() as { cid: string; digest: string }
    expect(digest).toBe(image.index.digest)
    const get = async (of: string) => (await registry.http.send({ path: `/ipfs/${of}?format=car` })).body
    const raw = async (of: string) => (await registry.http.send({ path: `/ipfs/${of}?format=raw` })).body
    const found = new Set<string>()
    const visit = async (one: Located): Promise<void> => {
      const [, of] = /^ipfs:\/\/(.+)$/.exec(one.urls![0]!)!
      if (!contentsOf(image).some((content) => content.digest === one.digest)) {
        const bytes = await raw(of!)
        expect([digestOf(bytes), bytes.length]).toEqual([one.digest, one.size])
        const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString()) as Located
        for (const next of [...(config === undefined ? [] : [config]), ...layers, ...manifests])
          await visit(next)
        return
      }
      found.add(one.digest)
      expect((await get(of!)).length).toBeGreaterThan(one.size)
    }
    await visit(JSON.parse((await raw(cid)).toString()) as Located)
    const blobs = image.images.flatMap((one) => one.blobs.map((blob) => blob.digest))
    expect(found).toEqual(new Set(blobs))
    const pulled = await registry.http.send({ path: `/v2/${name}/manifests/v1` })
    expect(pulled.body.equals(image.index.bytes), 'what was pushed').toBe(true)
  })

  test('is one of images', async () => {
    const refused = await ask('')
    expect([refused.status, refused.json()]).toMatchObject([400, { code: 'PARAMETER_INVALID' }])
  })
})

describe('The CID of a repository', () => {
  test('is a directory of its tags, another one after each push', async () => {
    const repository = 'many/tags'
    await push(repository, image, 'v1')
    const before = await cidOf(repository)
    expect(before).toBe((await blocksOf(image, 'v1')).repository)
    const next = randomMultiPlatformImage(registry.random)
    await push(repository, next, 'v2')
    const after = await cidOf(repository)
    expect(after).not.toBe(before)
    const blocks = await blocksOf(next, 'v2')
    const path = `/ipfs/${after}/v2/index.json?format=car`
    expect((await registry.http.send({ path })).text()).toContain(next.index.digest)
    expect(await cidOf(repository, 'v2')).toBe(blocks.layout)
    // Whoever is in the middle of it can end it.
    expect((await registry.http.send({ path: `/ipfs/${before}?format=raw` })).status).toBe(200)
  })

  test('without tags is the empty directory', async () => {
    const repository = new Repository(registry.http, 'no/tags')
    await repository.pushManifest(imageIndex({ manifests: [] }))
    expect(await cidOf('no/tags')).toBe('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354')
  })
})

describe('Pulling by CID', () => {
  test('gives every manifest and blob exactly as it was pushed', async () => {
    for (const content of contentsOf(image)) {
      const isManifest = content.mediaType.includes('manifest') || content.mediaType.includes('index')
      for (const kind of isManifest ? ['manifests', 'blobs'] : ['blobs']) {
        const answer = await below(`${kind}/${content.digest}`)
        expect(answer.status).toBe(200)
        expect(answer.body.equals(content.bytes)).toBe(true)
        expect(answer.header('docker-content-digest')).toBe(content.digest)
        expect(answer.header('cache-control')).toContain('immutable')
        if (kind === 'manifests') expect(answer.header('content-type')).toBe(content.mediaType)
        const head = await below(`${kind}/${content.digest}`, {}, 'HEAD')
        expect([head.status, head.header('content-length'), head.body.length]).toEqual([
          200,
          String(content.bytes.length),
          0,
        ])
      }
    }
  })

  test('has one tag, latest, and no others', async () => {
    const latest = await below('manifests/latest')
    expect(latest.header('docker-content-digest')).toBe(image.index.digest)
    expect((await below('manifests/v1')).status).toBe(404)
    expect((await below('manifests/..')).status).toBe(404)
  })

  test('serves ranges, and says what a client has already', async () => {
    const layer = image.images[0]!.blobs[1]!
    const path = `blobs/${layer.digest}`
    const part = await below(path, { range: 'bytes=1048570-1048590' })
    expect([part.status, part.header('content-range')]).toEqual([
      206,
      `bytes 1048570-1048590/${layer.bytes.length}`,
    ])
    expect(part.body.equals(layer.bytes.subarray(1048570, 1048591))).toBe(true)
    expect((await below(path, { range: 'bytes=-5' })).body.equals(layer.bytes.subarray(-5))).toBe(true)
    const beyond = await below(path, { range: 'bytes=99999999-' })
    expect([beyond.status, beyond.header('content-range')]).toEqual([416, `bytes */${layer.bytes.length}`])
    const other = await below(path, { range: 'bytes=0-0', 'if-range': '"other"' })
    expect(other.status).toBe(200)
    expect((await below(path, { 'if-none-match': `"${layer.digest}"` })).status).toBe(304)
    const known = { 'if-none-match': `"${image.index.digest}"` }
    expect((await below('manifests/latest', known)).status).toBe(304)
  })

  test('answers with errors of the specification', async () => {
    const nobodys = digestOf(Buffer.from('nobody has this'))
    const code = async (rest: string, method = 'GET'): Promise<[number, string]> => {
      const answer = await below(rest, {}, method)
      const { errors } = answer.json() as { errors: { code: string }[] }
      return [answer.status, errors[0]!.code]
    }
    expect(await code(`manifests/${nobodys}`)).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(await code(`manifests/${image.images[0]!.blobs[0]!.digest}`)).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(await code(`blobs/${nobodys}`)).toEqual([404, 'BLOB_UNKNOWN'])
    expect(await code('blobs/sha256:abc')).toEqual([400, 'DIGEST_INVALID'])
    const other = randomImage(registry.random)
    await new Repository(registry.http, name).pushImage(other, 'other')
    expect(await code(`blobs/${other.blobs[0]!.digest}`), 'of another image').toEqual([404, 'BLOB_UNKNOWN'])
  })

  test.each(['latest', 'bafkqaaa', 'x', 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'])(
    'is not possible by what is no CID of a directory: %s',
    async (text) => {
      const answer = await registry.http.send({ path: `/v2/ipfs/${text}/manifests/latest` })
      expect(answer.status).toBe(400)
      expect(answer.text()).toMatch(/NAME_INVALID.*openregistry cid/)
    },
  )
})

describe('Nothing can be pushed or changed below ipfs/:', () => {
  const manifest: Content = imageIndex({ manifests: [] })

  test.each([
    ['a manifest', 'PUT', 'manifests/v1'],
    ['a deletion', 'DELETE', 'manifests/latest'],
    ['a blob deletion', 'DELETE', `blobs/${digestOf(Buffer.from('x'))}`],
    ['an upload', 'POST', 'blobs/uploads/'],
    ['a list of tags', 'GET', 'tags/list'],
  ])('%s', async (_, method, rest) => {
    for (const repository of [`ipfs/${layout}`, 'ipfs/app', 'ipfs/a/b']) {
      const answer = await registry.http.send({
        ...{ method, path: `/v2/${repository}/${rest}` },
        headers: { 'content-type': manifest.mediaType },
        ...(method === 'PUT' ? { body: manifest.bytes } : {}),
      })
      expect(answer.status).toBe(400)
      expect(answer.text()).toMatch(/NAME_INVALID.*reserved: images are pulled there by their CID/)
    }
  })
})
