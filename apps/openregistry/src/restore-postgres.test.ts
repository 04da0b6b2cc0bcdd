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
})
