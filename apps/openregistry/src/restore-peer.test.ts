import { openAsBlob } from 'node:fs'
import { copyFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { KuboNode, requireIpfsPeer } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { damages, objectFiles } from './testing/damage.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const swarmKey = (digit: string): string => `/key/swarm/psk/1.0.0/\n/base16/\n${digit.repeat(64)}\n`

/** Gives Kubo the blocks of a CAR, and pins its roots. */
async function importCar(kubo: KuboNode, file: string): Promise<void> {
  const form = new FormData()
  form.set('file', await openAsBlob(file), 'a.car')
  const { status } = await fetch(`${kubo.apiUrl}/api/v0/dag/import`, { method: 'POST', body: form })
  expect(status).toBe(200)
}

test('a registry is back, and mended, from a Kubo of a private network that speaks nothing but Bitswap', async (context) => {
  requireIpfsPeer(context, 'kubo')
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:v1', 9_000_000)
  await pushImage(live.client, 'me/other:v1', 20)
  const saved = await runCommand(['backup', '--ipfs', 'all.car', '--with-blobs', '--json'], { cwd })
  expect(saved.code, saved.stderr).toBe(0)
  const { snapshot } = JSON.parse(saved.stdout) as { snapshot: string }
  await using kubo = await KuboNode.start({ swarmKey: swarmKey('a') })
  await importCar(kubo, join(cwd, 'all.car'))
  const peer = await kubo.address()
  await kubo.closeHttp()
  await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
  await live.stop()
  for (const name of ['data', 'all.car']) await rm(join(cwd, name), { recursive: true })

  const run = async (digit: string, ...words: string[]) => {
    await writeFile(join(cwd, 'swarm.key'), swarmKey(digit))
    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json', OPEN_REGISTRY_IPFS_SWARM_KEY_FILE: 'swarm.key' }
    return runCommand([...words, '--from', peer, '--json'], { cwd, env })
  }
  const stranger = await run('b', 'restore', snapshot)
  expect([stranger.code, stranger.stderr]).toEqual([
    1,
    expect.stringMatching(/the peer at 127\.0\.0\.1:\d+: .*it may have another swarm key/),
  ])
  const restored = await run('a', 'restore', snapshot)
  expect(restored.code, restored.stderr).toBe(0)
  expect(JSON.parse(restored.stdout)).toMatchObject({ snapshot, repositories: 2, tags: 2, missing: 0 })

  const files = await objectFiles(join(cwd, 'data/blobs'))
  expect(files).toHaveLength(1)
  await damages.flipped(files[0]!)
  const mended = await run('a', 'scrub', '--repair')
  expect(mended.code, mended.stderr).toBe(0)
  const [, , host, , port] = peer.split('/')
  expect(JSON.parse(mended.stdout)).toMatchObject({
    repaired: [{ digest: image.layer.digest, from: `the peer at ${host}:${port}` }],
  })
  await using back = await runServer({ cwd, env: { OPEN_REGISTRY_KEYS_FILE: 'keys.json' } })
  const stream = await back.client.oci.getBlob(parseRepositoryName('me/app'), image.layer.digest)
  expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(image.layer.bytes)).toBe(true)
}, 120_000)
