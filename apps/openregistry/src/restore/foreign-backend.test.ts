import { copyFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { pushImage } from '../testing/push-image.ts'
import { runCommand } from '../testing/run-command.ts'
import { runServer } from '../testing/run-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

const app = parseRepositoryName('me/app')

test(
  'blobs that outlived their database are refused at first, and left alone',
  { timeout: 60_000 },
  async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json' }
    const run = (...args: string[]) => runCommand(args, { cwd, env })
    await using live = await runServer({ cwd })
    const image = await pushImage(live.client, 'me/app:1', 1_200_000)
    await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
    expect((await run('backup', '--ipfs', 'all.car', '--with-blobs')).code).toBe(0)
    await live.stop()
    await rename(join(cwd, 'data'), join(cwd, 'lost'))

    const place = { OPEN_REGISTRY_DFS_DISK_PATH: 'lost/blobs' }
    const there = (...args: string[]) => runCommand(args, { cwd, env: { ...env, ...place } })
    const refused = await there('restore', 'all.car')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /holds objects of another registry[^]*"openregistry adopt --backend disk" and the same command/,
      ),
    ])
    const adopted = await there('adopt', '--backend', 'disk', '--yes')
    expect([adopted.code, adopted.stderr]).toEqual([
      0,
      expect.stringContaining('belongs to this database now'),
    ])
    const restored = await there('restore', 'all.car', '--json')
    expect(restored.code, restored.stderr).toBe(0)
    expect(JSON.parse(restored.stdout)).toMatchObject({ there: 0, missing: 0 })
    {
      await using back = await runServer({ cwd, env: { ...env, ...place } })
      expect((await back.client.oci.getManifest(app, parseTag('1'))).digest).toBe(image.digest)
      const layer = await back.client.oci.getBlob(app, image.layer.digest)
      expect(Buffer.from(await new Response(layer).arrayBuffer()).equals(image.layer.bytes)).toBe(true)
    }
    // The old database is kept off from what it had, and an empty place needs no decision.
    const old = await runCommand(['doctor'], { cwd, env: { ...env, OPEN_REGISTRY_DATA_DIR: 'lost' } })
    expect(old.stdout).toContain('is another one than the database knows')
    await rm(join(cwd, 'data'), { recursive: true })
    expect((await run('restore', 'all.car')).code).toBe(0)
  },
)
