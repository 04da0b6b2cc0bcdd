import { rm } from 'node:fs/promises'
import {
  contentOf,
  HttpClient,
  KuboNode,
  randomFrom,
  randomImage,
  requireIpfsPeer,
} from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { Repository } from '../conformance/repository.ts'
import { RunningRegistry } from '../support/registry.ts'
import { pin, readOffline } from './kubo-of-registry.ts'

const random = randomFrom('stored on Kubo')
const mebi = 1024 * 1024

test('layers outlive the registry: another node gets them by their CIDs from the one that it used', async (context) => {
  requireIpfsPeer(context, 'kubo')
  await using node = await KuboNode.start()
  const contents = new Map<string, Uint8Array>()
  {
    await using registry = await RunningRegistry.start('openregistry', {
      settings: { OPEN_REGISTRY_DFS_IPFS_API_URL: node.apiUrl },
    })
    using http = new HttpClient(registry.url)
    const repository = new Repository(http, 'me/app')
    const layers = [contentOf(random.bytes(7 * mebi + 123)), contentOf(random.bytes(200_000))]
    for (const layer of layers) await repository.pushBlob(layer)
    await repository.pushImage(randomImage(random), 'v1')
    for (const { digest, bytes } of layers) {
      const cid = (await repository.head(`blobs/${digest}`)).header('openregistry-cid')
      contents.set(cid ?? '', bytes)
    }
    await registry.stop()
    await rm(registry.options.dataDir, { recursive: true })
  }
  await using other = await KuboNode.start()
  await other.connect(node)
  for (const [cid, bytes] of contents) {
    await pin(other, cid)
    expect((await readOffline(other, cid)).equals(bytes)).toBe(true)
  }
})
