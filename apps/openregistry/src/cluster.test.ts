import { parseRepositoryName } from '@openregistry/oci'
import { describeWithIpfsCluster } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import type { Finding } from './doctor/finding.ts'
import { pushImage } from './testing/push-image.ts'
import { rawGet } from './testing/raw-get.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')
const mebi = 1024 * 1024

describeWithIpfsCluster('a registry on an IPFS Cluster', (running) => {
  const variables = (more: Record<string, string> = {}): Record<string, string> => ({
    OPEN_REGISTRY_DFS_DEFAULT: 'cluster',
    OPEN_REGISTRY_DFS_CLUSTER_API_URL: running().peer.apiUrl,
    OPEN_REGISTRY_DFS_CLUSTER_GATEWAY_URL: running().node.gatewayUrl,
    OPEN_REGISTRY_DFS_CLUSTER_RETRY: '300ms',
    ...more,
  })

  test('keeps layers there, scrubs them, and gives their space back', async () => {
    await using folder = await temporaryFolder()
    const [cwd, env] = [folder.path, variables({ OPEN_REGISTRY_DFS_CLUSTER_REPLICATION_MIN: '1' })]
    await using registry = await runServer({ cwd, env })
    const { layer } = await pushImage(registry.client, 'me/app:1', 3 * mebi + 5)
    const blob = await rawGet(`${registry.server}/v2/${name}/blobs/${layer.digest}`)
    expect([blob.status, Buffer.compare(blob.body, layer.bytes)]).toEqual([200, 0])
    const fetched = await rawGet(
      `${running().node.gatewayUrl}/ipfs/${String(blob.headers['openregistry-cid'])}`,
    )
    expect(Buffer.compare(fetched.body, layer.bytes)).toBe(0)
    const scrubbed = await runCommand(['scrub', '--json'], { cwd, env })
    expect(JSON.parse(scrubbed.stdout)).toMatchObject({
      listed: 1,
      surplus: { found: 0 },
      damaged: [],
      unlisted: [],
    })
    await registry.client.api.deleteRepository(name)
    expect((await runCommand(['gc', '--grace', '0'], { cwd, env })).code).toBe(0)
    const pins = (await rawGet(`${running().peer.apiUrl}/allocations`)).body.toString()
    // What is left is the identity of the registry, and that it was claimed here.
    expect(pins.trim().split('\n')).toHaveLength(2)
  })

  test('says with doctor what is wrong, and what is right', async () => {
    const examine = async (env: Record<string, string>): Promise<Finding[]> => {
      await using folder = await temporaryFolder()
      const all = { OPEN_REGISTRY_HTTP_PORT: '0', ...env }
      const { stdout } = await runCommand(['doctor', '--json'], { cwd: folder.path, env: all })
      const { checks } = JSON.parse(stdout) as { checks: Finding[] }
      return checks.filter(({ check }) => check === 'backend cluster')
    }
    expect(await examine(variables({ OPEN_REGISTRY_DFS_CLUSTER_NAME: 'doctor' }))).toMatchObject([
      { status: 'ok' },
      { status: 'ok', message: 'its objects are on IPFS under the CIDs of the registry' },
    ])
    const wrong = variables({ OPEN_REGISTRY_DFS_CLUSTER_API_URL: running().node.gatewayUrl })
    expect(await examine(wrong)).toMatchObject([
      { status: 'failed', message: expect.stringContaining('(dfs.cluster.api_url)') as string },
    ])
  })
})
