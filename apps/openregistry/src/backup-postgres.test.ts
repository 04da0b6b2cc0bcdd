import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseRepositoryName, type Digest, type Tag } from '@openregistry/oci'
import { describeWithPostgres, findPostgres, type DatabaseAddress } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const execute = promisify(execFile)
const name = parseRepositoryName('me/app')

/** Settings of a registry on this database and this folder of blobs, in two processes. */
function settingsOf(database: DatabaseAddress, blobs: string): Record<string, string> {
  return {
    ...databaseVariables(database),
    OPEN_REGISTRY_DFS_DISK_PATH: blobs,
    OPEN_REGISTRY_HTTP_WORKERS: '1',
  }
}

/** Runs one of the programs of PostgreSQL on a database. */
function onDatabase(
  program: string,
  { host, port, user, password, name }: DatabaseAddress,
  ...more: string[]
) {
  const words = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--dbname=${name}`, ...more]
  return execute(join(findPostgres() ?? '', program), words, {
    env: { ...process.env, PGPASSWORD: password },
  })
}

describeWithPostgres('a backup as docs/operations.md says, beside a server that is pushed to', (cluster) => {
  test('first the dump, then the blobs: every image of the dump is whole where it is restored', async () => {
    await using folder = await temporaryFolder()
    const [original, restored] = [await cluster().createDatabase(), await cluster().createDatabase()]
    const blobs = { original: join(folder.path, 'blobs'), copied: join(folder.path, 'copied') }
    const dump = join(folder.path, 'registry.dump')
    const cwd = folder.path
    {
      await using server = await runServer({ cwd, env: settingsOf(original, blobs.original) })
      for (const tag of ['a', 'b']) await pushImage(server.client, `me/app:${tag}`, 40_000)
      // Pushes go on all the time; some of them end between the two halves of the backup.
      const stopping = new AbortController()
      const pushes = (async () => {
        for (let n = 0; !stopping.signal.aborted; n++) await pushImage(server.client, `me/app:n${n}`, 40_000)
      })()
      await onDatabase('pg_dump', original, '--format=custom', `--file=${dump}`)
      await pushImage(server.client, 'me/app:later', 40_000)
      await cp(blobs.original, blobs.copied, { recursive: true })
      stopping.abort()
      await pushes
    }
    await onDatabase('pg_restore', restored, '--no-owner', '--exit-on-error', dump)
    const env = settingsOf(restored, blobs.copied)
    await using server = await runServer({ cwd, env })
    const { items: tags } = await server.client.api.tags(name)
    expect(tags.map((tag) => tag.name)).toEqual(expect.arrayContaining(['a', 'b']))
    expect(tags.map((tag) => tag.name)).not.toContain('later')
    for (const { name: tag } of tags) {
      const { layers, config } = await server.client.api.inspect(name, tag as Tag)
      for (const { digest } of [...layers, ...(config === null ? [] : [config])]) {
        const blob = await server.client.oci.getBlob(name, digest as Digest)
        expect((await new Response(blob).arrayBuffer()).byteLength).toBeGreaterThan(0)
      }
    }
    const { code, stderr, stdout } = await runCommand(['scrub'], { cwd, env })
    expect({ code, said: `${stdout}${stderr}` }).toMatchObject({
      code: 0,
      said: expect.stringContaining('Nothing is damaged, nothing is missing.') as string,
    })
    await pushImage(server.client, 'me/app:afterwards')
  })
})
