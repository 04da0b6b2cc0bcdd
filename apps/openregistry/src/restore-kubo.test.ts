import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { KuboNode, requireIpfsPeer } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

test(
  'a registry whose machine is gone is back from a Kubo alone that followed its name, by its API and by Bitswap',
  { timeout: 180_000 },
  async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using folder = await temporaryFolder()
    const cwd = folder.path
    await using live = await runServer({ cwd })
    const images = {
      v1: await pushImage(live.client, 'me/app:v1', 3_000_000),
      v2: await pushImage(live.client, 'me/app:v2', 20),
    }
    const { ipns } = await live.client.api.cid(name, null)
    // The router is the registry: when it is gone, this node has what it has.
    await using kubo = await KuboNode.start({
      config: { 'Routing.Type': 'autoclient', 'Routing.DelegatedRouters': [live.server] },
    })
    await kubo.call('pin/add', { arg: `/ipns/${ipns}`, timeout: '60s' })
    const pin = ['backup', '--ipfs', '--pin', kubo.apiUrl, '--json']
    const before = JSON.parse((await runCommand(pin, { cwd })).stdout) as { snapshot: string }
    await pushImage(live.client, 'me/other:1', 20)
    const saved = await runCommand(pin, { cwd })
    expect(saved.code, saved.stderr).toBe(0)
    const { snapshot, name: key, unpinned, named } = JSON.parse(saved.stdout) as Saved
    expect([unpinned, named]).toEqual([[before.snapshot], true])

    await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
    await live.stop()
    await rm(join(cwd, 'data'), { recursive: true })

    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json' }
    for (const address of [key, `/ipfs/${snapshot}`]) {
      await rm(join(cwd, 'data'), { recursive: true, force: true })
      const restored = await runCommand(['restore', address, '--kubo', kubo.apiUrl, '--json'], { cwd, env })
      expect(restored.code, restored.stderr).toBe(0)
      expect(JSON.parse(restored.stdout)).toMatchObject({ snapshot, repositories: 2, tags: 3, missing: 0 })
    }
    // Kubo has no HTTP any more: what is left of it is the port for peers.
    const peer = await kubo.address()
    await kubo.closeHttp()
    await expect(fetch(kubo.apiUrl)).rejects.toThrow()
    await rm(join(cwd, 'data'), { recursive: true })
    const restored = await runCommand(['restore', snapshot, '--from', peer, '--json'], { cwd, env })
    expect(restored.code, restored.stderr).toBe(0)
    expect(JSON.parse(restored.stdout)).toMatchObject({ snapshot, repositories: 2, tags: 3, missing: 0 })
    await using back = await runServer({ cwd, env })
    for (const [tag, image] of Object.entries(images)) {
      const manifest = await back.client.oci.getManifest(name, parseTag(tag))
      expect(manifest.digest).toBe(image.digest)
      expect((await layerOf(back, image.layer.digest)).equals(image.layer.bytes)).toBe(true)
    }
    expect((await back.client.api.cid(name, null)).ipns).toBe(ipns)
  },
)

interface Saved {
  snapshot: string
  name: string
  unpinned: string[]
  named: boolean
}

async function layerOf(
  { client }: ServerUnderTest,
  digest: Parameters<ServerUnderTest['client']['oci']['getBlob']>[1],
) {
  const stream = await client.oci.getBlob(name, digest)
  return Buffer.from(await new Response(stream).arrayBuffer())
}

test(
  'a file holds what is new since the snapshot that a Kubo keeps',
  { timeout: 120_000 },
  async (context) => {
    requireIpfsPeer(context, 'kubo')
    await using folder = await temporaryFolder()
    const cwd = folder.path
    await using kubo = await KuboNode.start()
    const node = { OPEN_REGISTRY_DFS_IPFS_API_URL: kubo.apiUrl }
    await using live = await runServer({ cwd, env: node })
    for (const tag of ['1', '2', '3']) await pushImage(live.client, `me/app:${tag}`, 15_000)
    const save = async (...args: string[]) => {
      const saved = await runCommand(['backup', '--ipfs', ...args, '--json'], { cwd, env: node })
      expect(saved.code, saved.stderr).toBe(0)
      return JSON.parse(saved.stdout) as Saved & { size: number; bases: string[] }
    }
    const before = await save('--pin')
    const image = await pushImage(live.client, 'me/app:4', 100_000)
    const after = await save('new.car', '--since', before.snapshot)
    expect(after.bases).toEqual([before.snapshot])
    expect([before.size > 45_000, after.size < 5000]).toEqual([true, true])
    await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
    await live.stop()
    await rm(join(cwd, 'data'), { recursive: true })

    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json' }
    const alone = await runCommand(['restore', 'new.car'], { cwd, env })
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining(before.snapshot)])
    const restored = await runCommand(['restore', 'new.car', '--kubo', kubo.apiUrl], { cwd, env })
    expect(restored.code, restored.stderr).toBe(0)
    {
      await using back = await runServer({ cwd, env })
      expect((await back.client.oci.getManifest(name, parseTag('4'))).digest).toBe(image.digest)
    }

    // As the backend that it was: it belongs to the lost database until somebody says otherwise, and has the blobs itself.
    await rm(join(cwd, 'data'), { recursive: true })
    const both = { cwd, env: { ...env, ...node } }
    const refused = await runCommand(['restore', 'new.car'], both)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('adopt --backend kubo" and the same'),
    ])
    expect((await runCommand(['adopt', '--backend', 'kubo', '--yes'], both)).code).toBe(0)
    const again = await runCommand(['restore', 'new.car', '--json'], both)
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ tags: 4, there: 0, missing: 0 })
    await using same = await runServer(both)
    expect((await layerOf(same, image.layer.digest)).equals(image.layer.bytes)).toBe(true)
  },
)
