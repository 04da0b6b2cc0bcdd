import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KuboNode } from '@openregistry/testkit'
import { expect } from 'vitest'
import { clientTest, shared, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { makeLayout, twoPlatforms, type ImageLayout } from '../support/image-layout.ts'
import { pushLayout } from '../support/push-layout.ts'
import { RunningRegistry } from '../support/registry.ts'

const scratch = sharedScratch()
const tools = shared(() => new ContainerTools())

/** How many pins hold something in a node: one for each object, and one for each layout. */
async function pinsOf(node: KuboNode): Promise<number> {
  const { Keys = {} } = JSON.parse(await node.call('pin/ls', { type: 'recursive' })) as { Keys?: object }
  return Object.keys(Keys).length
}

/** Pushes an image to a registry on this node, and takes the registry away with all that it has. @returns the image's CID. */
async function pushAndVanish(node: KuboNode, layout: ImageLayout): Promise<string> {
  await using registry = await RunningRegistry.start('openregistry', {
    settings: { OPEN_REGISTRY_DFS_IPFS_API_URL: node.apiUrl },
  })
  await pushLayout(registry.url, 'me/app', layout)
  const objects = await pinsOf(node)
  const answer = await fetch(`${registry.url}/api/v1/repositories/me%2Fapp/cid?reference=1`)
  const { cid } = (await answer.json()) as { cid: string }
  await expect.poll(() => pinsOf(node), { timeout: 60_000 }).toBe(objects + 1)
  await registry.stop()
  await rm(registry.options.dataDir, { recursive: true })
  return cid
}

clientTest(
  ['kubo', 'skopeo', 'busybox'],
  'gets an image by its CID from another node alone, whose registry is gone with its data',
  async () => {
    const layout = await makeLayout(scratch(), 'survivor', twoPlatforms)
    await using node = await KuboNode.start()
    const cid = await pushAndVanish(node, layout)
    await node.collectGarbage()
    await using other = await KuboNode.start()
    await other.connect(node)
    const fetched = join(scratch().folder('fetched'), 'image')
    await other.get(cid, fetched)
    const { skopeo } = tools()
    const copied = `oci:${scratch().folder('copied')}:1`
    await skopeo.run('copy', '-q', '--all', '--preserve-digests', `oci:${fetched}`, copied)
    expect(await skopeo.run('inspect', '--raw', copied)).toBe(
      await skopeo.run('inspect', '--raw', `oci:${layout.folder}:1`),
    )
  },
)
