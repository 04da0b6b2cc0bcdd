import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { describeWithPostgres } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

describeWithPostgres('a snapshot of a registry on PostgreSQL', (cluster) => {
  test('is restored into another database, and into SQLite', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const keys = { OPEN_REGISTRY_KEYS_FILE: 'keys.json', OPEN_REGISTRY_HTTP_WORKERS: '1' }
    const [first, second] = [await cluster().createDatabase(), await cluster().createDatabase()].map(
      (one) => ({
        ...databaseVariables(one),
        ...{ OPEN_REGISTRY_DFS_DISK_PATH: `${one.name}-blobs`, ...keys },
      }),
    )
    await using live = await runServer({ cwd, env: first! })
    const image = await pushImage(live.client, 'me/app:1', 1_300_000)
    const { ipns } = await live.client.api.cid(name, null)
    const saved = await runCommand(['backup', '--ipfs', 'a.car', '--with-blobs'], { cwd, env: first! })
    expect(saved.code, saved.stderr).toBe(0)
    await live.stop()

    for (const env of [second!, { ...keys, OPEN_REGISTRY_DATA_DIR: 'embedded' }]) {
      const restored = await runCommand(['restore', 'a.car', '--json'], { cwd, env })
      expect(restored.code, restored.stderr).toBe(0)
      await using back = await runServer({ cwd, env })
      expect((await back.client.oci.getManifest(name, parseTag('1'))).digest).toBe(image.digest)
      const layer = await back.client.oci.getBlob(name, image.layer.digest)
      expect(Buffer.from(await new Response(layer).arrayBuffer()).equals(image.layer.bytes)).toBe(true)
      expect((await back.client.api.cid(name, null)).ipns).toBe(ipns)
    }
    const again = await runCommand(['restore', 'a.car'], { cwd, env: second! })
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringContaining('there is a registry in the database'),
    ])
  })

  test(
    'is not restored while a server uses the database, and not served before its end',
    {
      timeout: 120_000,
    },
    async () => {
      await using folder = await temporaryFolder()
      const cwd = folder.path
      const variables = async (): Promise<Record<string, string>> => {
        const database = await cluster().createDatabase()
        return {
          ...databaseVariables(database),
          OPEN_REGISTRY_DFS_DISK_PATH: `${database.name}-blobs`,
          OPEN_REGISTRY_KEYS_FILE: 'keys.json',
          OPEN_REGISTRY_HTTP_PORT: '0',
          OPEN_REGISTRY_HTTP_WORKERS: '2',
        }
      }
      const [first, second] = [await variables(), await variables()]
      const restore = () => runCommand(['restore', 'a.car'], { cwd, env: second })
      {
        await using live = await runServer({ cwd, env: first })
        await pushImage(live.client, 'me/app:1', 1_200_000)
        expect((await runCommand(['backup', '--ipfs', 'a.car'], { cwd, env: first })).code).toBe(0)
      }
      {
        await using other = await runServer({ cwd, env: second })
        const refused = await restore()
        expect([refused.code, refused.stderr]).toEqual([
          1,
          expect.stringMatching(/a server, or a command beside it, uses the database .* Stop all of them/),
        ])
        // Nothing has begun: it may restart.
        await other.stop()
        await using again = await runServer({ cwd, env: second })
        expect((await fetch(`${again.server}/readyz`)).status).toBe(200)
      }
      const half = await restore()
      expect([half.code, half.stderr]).toEqual([1, expect.stringContaining('could not be brought back yet')])
      const refused = await runCommand(['serve'], { cwd, env: second })
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/^openregistry: the restore of the snapshot .* --give-up\.$/m),
      ])
      expect((await runCommand(['restore', '--give-up'], { cwd, env: second })).code).toBe(0)
      await using back = await runServer({ cwd, env: second })
      expect((await back.client.api.cid(name, null)).tags).toBe(0)
    },
  )
})
