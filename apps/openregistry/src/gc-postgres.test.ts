import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { describeWithPostgres } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { objectFiles } from './testing/damage.ts'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

describeWithPostgres('gc on PostgreSQL', (cluster) => {
  test('beside a server: two calls share the work, and what is used stays', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = {
      ...databaseVariables(await cluster().createDatabase()),
      OPEN_REGISTRY_DB_POOL_SIZE: '4',
      OPEN_REGISTRY_HTTP_WORKERS: '1',
    }
    await using live = await runServer({ cwd, env })
    const gc = async (...args: string[]) => {
      const { code, stdout } = await runCommand(['gc', '--json', ...args], { cwd, env })
      expect(code).toBe(0)
      return JSON.parse(stdout) as { blobs: number; links: number; objects: number; bytes: number }
    }
    const name = parseRepositoryName('me/app')
    const [kept, dropped] = [
      await pushImage(live.client, 'me/app:1'),
      await pushImage(live.client, 'me/app:2'),
    ]
    await pushImage(live.client, 'you/old:1')
    await live.client.oci.deleteManifest(name, dropped.digest)
    await live.client.api.deleteRepository(parseRepositoryName('you/old'))
    const preview = await gc('--dry-run', '--grace', '0')
    expect(preview).toMatchObject({ blobs: 6, links: 4 })
    const both = await Promise.all([gc('--grace', '0'), gc('--grace', '0')])
    expect(both.reduce((sum, { blobs }) => sum + blobs, 0)).toBe(6)
    expect(both.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(preview.bytes)
    expect(await objectFiles(join(cwd, 'data', 'blobs'))).toHaveLength(1)

    const secret = kept.layer.digest
    expect(await gc('--purge', secret, '--dry-run')).toMatchObject({ holders: [{ tags: ['1'] }] })
    expect(await gc('--purge', secret, '--yes')).toMatchObject({ blobs: 1, links: 1, objects: 1 })
    const blob = `${live.server}/v2/me/app/blobs/${secret}`
    expect((await fetch(blob, { method: 'HEAD' })).status).toBe(404)
    expect(await objectFiles(join(cwd, 'data', 'blobs'))).toHaveLength(0)
  })
})
