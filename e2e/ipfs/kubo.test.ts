import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  contentOf,
  HttpClient,
  KuboNode,
  randomFrom,
  randomImage,
  requireIpfsPeer,
  type Content,
  type Image,
} from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { Repository } from '../conformance/repository.ts'
import { startReplica } from '../conformance/start-registry.ts'
import { SecureRegistry } from '../http2/secure-registry.ts'
import { requirePeers } from '../support/peers.ts'
import { NerdctlCalls, pullLikeNerdctl } from './nerdctl-calls.ts'
import { importCar, pin, readOffline, startKuboOf } from './kubo-of-registry.ts'

const random = randomFrom('kubo of a registry')

/** An image with a layer of several levels of blocks, and small ones. */
function makeImage(): { image: Image; large: Content } {
  const image = randomImage(random)
  return { image, large: contentOf(random.bytes(7 * 1024 * 1024 + 123)) }
}

/** What a registry says is the CID of a blob or manifest. */
async function cidOf(repository: Repository, path: string): Promise<string> {
  const cid = (await repository.head(path)).header('openregistry-cid')
  if (cid === null) throw new Error(`${path} has no CID.`)
  return cid
}

/** Pushes an image and another layer. @returns contents by the CIDs that the registry gives them. */
async function push(repository: Repository): Promise<Map<string, Content>> {
  const { image, large } = makeImage()
  await repository.pushBlob(large)
  await repository.pushImage(image, 'v1')
  const contents = new Map<string, Content>()
  for (const blob of [large, ...image.blobs])
    contents.set(await cidOf(repository, `blobs/${blob.digest}`), blob)
  contents.set(await cidOf(repository, 'manifests/v1'), image.manifest)
  return contents
}

async function expectPinned(kubo: KuboNode, contents: Map<string, Content>): Promise<void> {
  const { Keys } = JSON.parse(await kubo.call('pin/ls', { type: 'recursive' })) as {
    Keys: Record<string, unknown>
  }
  for (const [cid, content] of contents) {
    expect(Object.keys(Keys)).toContain(cid)
    expect((await readOffline(kubo, cid)).equals(content.bytes)).toBe(true)
  }
}

describe('a stock Kubo whose only router is ours', () => {
  test('fetches and pins an image over plain HTTP, and has it when we are gone', async (context) => {
    requireIpfsPeer(context, 'kubo')
    const registry = await startReplica({})
    await using stack = new AsyncDisposableStack()
    stack.use(registry)
    const http = stack.use(new HttpClient(registry.origin))
    const contents = await push(new Repository(http, 'me/plain'))
    await using kubo = await startKuboOf(registry.origin)
    for (const cid of contents.keys()) await pin(kubo, cid)
    await stack.disposeAsync()
    await expectPinned(kubo, contents)
  })

  test('answers the calls of nerdctl for an image in its form', async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using registry = await startReplica({})
    using http = new HttpClient(registry.origin)
    const { image } = makeImage()
    await new Repository(http, 'me/app').pushImage(image, 'v1')
    const path = '/api/v1/repositories/me%2Fapp/cid?reference=v1&form=nerdctl'
    const { cid } = (await http.send({ path })).json() as { cid: string }
    await using kubo = await startKuboOf(registry.origin)
    await pullLikeNerdctl(new NerdctlCalls(kubo.apiUrl), cid, image)
  })

  test('does the same over HTTPS, for which it wants HTTP/2', async (context) => {
    requireIpfsPeer(context, 'kubo')
    requirePeers(context, ['openssl'])
    await using registry = await SecureRegistry.start()
    using client = registry.client()
    const contents = await push(registry.repository(client))
    // Kubo has no setting for the authority of a router, as it has for those from whom it fetches.
    await using router = await routerInFrontOf(client)
    await using kubo = await startKuboOf(router.origin)
    for (const cid of contents.keys()) await pin(kubo, cid)
    await expectPinned(kubo, contents)
    expect(router.asked() > 0).toBe(true)
  })

  test('gets nothing that is private', async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using registry = await startReplica({ OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private' })
    using http = new HttpClient(registry.origin)
    const contents = await push(new Repository(http, 'me/private'))
    await using kubo = await startKuboOf(registry.origin)
    // It asks until its time is over.
    await expect(pin(kubo, [...contents.keys()][0]!, '3s')).rejects.toThrow('context deadline exceeded')
    const http404 = await http.send({ path: `/ipfs/${[...contents.keys()][0]!}?format=raw` })
    expect(http404.status).toBe(404)
  })
})

describe('a CAR of ours', () => {
  test('is taken by Kubo, whole', async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using registry = await startReplica({})
    using http = new HttpClient(registry.origin)
    const contents = await push(new Repository(http, 'me/car'))
    await using kubo = await KuboNode.start()
    for (const cid of contents.keys()) {
      const { body } = await http.send({ path: `/ipfs/${cid}?format=car` })
      expect(await importCar(kubo, new Uint8Array(body))).toEqual({ [cid]: '' })
    }
    await expectPinned(kubo, contents)
  })
})

/** Speaks plain HTTP to Kubo and asks our routing over HTTPS. */
async function routerInFrontOf(
  client: HttpClient,
): Promise<AsyncDisposable & { origin: string; asked(): number }> {
  let asked = 0
  const server: Server = createServer((request, response) => {
    asked++
    const { accept = 'application/json' } = request.headers
    client.send({ path: request.url!, headers: { accept } }).then(
      ({ status, body, header }) => {
        response.writeHead(status, { 'content-type': header('content-type') ?? 'text/plain' }).end(body)
      },
      () => response.destroy(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}
