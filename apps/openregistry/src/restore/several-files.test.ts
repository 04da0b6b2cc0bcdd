import { copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { pushImage } from '../testing/push-image.ts'
import { runCommand } from '../testing/run-command.ts'
import { runServer } from '../testing/run-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

const app = parseRepositoryName('me/app')

interface Saved {
  snapshot: string
  size: number
  bases: string[]
}

test(
  'a snapshot of every day holds what is new, and all of them are the registry',
  { timeout: 90_000 },
  async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = { OPEN_REGISTRY_KEYS_FILE: 'keys.json' }
    const run = (...args: string[]) => runCommand(args, { cwd, env })
    const save = async (...args: string[]): Promise<Saved> => {
      const saved = await run('backup', '--ipfs', ...args, '--with-blobs', '--json')
      expect(saved.code, saved.stderr).toBe(0)
      return JSON.parse(saved.stdout) as Saved
    }
    const refused = async (args: string[], code: number, says: string) => {
      const ended = await run(...args)
      expect([args, ended.code, ended.stderr]).toEqual([args, code, expect.stringContaining(says)])
    }

    await using live = await runServer({ cwd })
    await copyFile(join(cwd, 'data/keys.json'), join(cwd, 'keys.json'))
    const images = [await pushImage(live.client, 'me/app:1', 2_500_000)]
    const monday = await save('mo.car')
    images.push(await pushImage(live.client, 'me/app:2', 1_200_000))
    const tuesday = await save('tu.car', '--since', 'mo.car')
    images.push(await pushImage(live.client, 'me/app:3', 10))
    const wednesday = await save('we.car', '--since', 'tu.car', '--since', 'mo.car')
    expect([monday.bases, tuesday.bases]).toEqual([[], [monday.snapshot]])
    expect(new Set(wednesday.bases)).toEqual(new Set([monday.snapshot, tuesday.snapshot]))
    expect(monday.size).toBeGreaterThan(2_500_000)
    expect([tuesday.size > 1_200_000, tuesday.size < 1_300_000]).toEqual([true, true])
    expect(wednesday.size).toBeLessThan(20_000)
    expect((await stat(join(cwd, 'we.car'))).size).toBe(wednesday.size)

    const next = (...args: string[]) => ['backup', '--ipfs', 'th.car', ...args]
    await refused(next('--since', 'tu.car'), 2, `goes on from the snapshot ${monday.snapshot}: name that one`)
    await refused(next('--since', 'mo.car', '--all'), 2, 'mo.car is open and this snapshot would be sealed')
    await refused(next('--since', 'mo.car', '--pin', 'http://127.0.0.1:9'), 2, '--since is for a file')
    await refused(next('--since', monday.snapshot), 2, 'dfs.ipfs.api_url')
    await refused(next('--since', 'no.car'), 2, 'no.car is no file that is there')
    await refused(['backup', '--ipfs', 'mo.car', '--since', './mo.car'], 2, 'would be written over')
    await refused(['backup', 'folder', '--since', 'mo.car'], 2, 'go with --ipfs')

    await live.stop()
    await rm(join(cwd, 'data'), { recursive: true })
    await refused(
      ['restore', 'we.car', 'tu.car'],
      1,
      `since the snapshot ${monday.snapshot}, which is in no file`,
    )
    await refused(
      ['restore', 'mo.car', 'we.car'],
      1,
      `since the snapshot ${tuesday.snapshot}, which is in no file`,
    )
    // Nothing was made by then.
    await expect(stat(join(cwd, 'data'))).rejects.toThrow('ENOENT')
    const restored = await run('restore', 'tu.car', 'we.car', 'mo.car', '--json')
    expect(restored.code, restored.stderr).toBe(0)
    expect(JSON.parse(restored.stdout)).toMatchObject({ snapshot: wednesday.snapshot, tags: 3, missing: 0 })
    {
      await using back = await runServer({ cwd, env })
      for (const [index, { digest, layer }] of images.entries()) {
        expect((await back.client.oci.getManifest(app, parseTag(`${index + 1}`))).digest).toBe(digest)
        const stream = await back.client.oci.getBlob(app, layer.digest)
        expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(layer.bytes)).toBe(true)
      }
    }

    // Snapshots that have nothing to do with each other, unless somebody says which is meant.
    await save('other.car')
    await rm(join(cwd, 'data'), { recursive: true })
    await refused(['restore', 'mo.car', 'other.car'], 2, 'they are several snapshots')
    await refused(['restore', monday.snapshot, tuesday.snapshot], 2, 'name one snapshot by its CID')
    const older = await run('restore', monday.snapshot, 'mo.car', 'tu.car', '--json')
    expect(JSON.parse(older.stdout)).toMatchObject({ snapshot: monday.snapshot, tags: 1, missing: 0 })
  },
)
