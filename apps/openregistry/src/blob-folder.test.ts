import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeWithPostgres } from '@openregistry/testkit'
import { describe, expect, test, vi } from 'vitest'
import { objectFiles } from './testing/damage.ts'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand, type Ended } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const anyPort = { OPEN_REGISTRY_HTTP_PORT: '0' }

async function status({ server }: ServerUnderTest, { layer }: PushedImage, method = 'GET'): Promise<number> {
  const answer = await fetch(`${server}/v2/me/app/blobs/${layer.digest}`, { method })
  await answer.arrayBuffer()
  return answer.status
}

const identityOf = (blobs: string): Promise<string> => readFile(join(blobs, 'registry.id'), 'utf8')

function expectRefusal({ code, stdout, stderr }: Ended, ...texts: (string | RegExp)[]): void {
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
  for (const text of texts) expect(stderr).toMatch(text)
}

/** A registry with an image, whose server has stopped. */
async function usedRegistry() {
  const folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  return { ...folder, cwd, blobs: join(cwd, 'data', 'blobs'), image }
}

test('the first start writes the identity, and every other one finds it', async () => {
  await using used = await usedRegistry()
  const { cwd, blobs, image } = used
  const identity = await identityOf(blobs)
  expect(identity).toMatch(/^[0-9a-f]{32}\n$/)
  await using live = await runServer({ cwd })
  expect(await status(live, image)).toBe(200)
  expect(await identityOf(blobs)).toBe(identity)
})

describe('a folder that is not the one of the database', () => {
  test('is refused by everything that works on data, and nothing is made there', async () => {
    await using used = await usedRegistry()
    const { cwd } = used
    const env = { ...anyPort, OPEN_REGISTRY_DFS_DISK_PATH: 'elsewhere' }
    for (const args of [['serve'], ['gc'], ['gc', '--dry-run'], ['scrub'], ['backup', 'saved']]) {
      expectRefusal(
        await runCommand(args, { cwd, env }),
        /^openregistry: This is not where the blobs of this registry are/,
        join(cwd, 'elsewhere'),
        /dfs\.disk\.path/,
        /openregistry adopt/,
      )
      expect(await readdir(cwd)).not.toContain('elsewhere')
    }
    // An empty mount point stays one.
    await mkdir(join(cwd, 'elsewhere'))
    for (const args of [['serve'], ['scrub']]) {
      expectRefusal(await runCommand(args, { cwd, env }), /has no registry\.id/)
      expect(await readdir(join(cwd, 'elsewhere'))).toEqual([])
    }
    await using live = await runServer({ cwd })
    expect(await status(live, used.image)).toBe(200)
  }, 60_000)

  test('of another registry is refused, by both', async () => {
    await using one = await usedRegistry()
    await using other = await usedRegistry()
    const env = { ...anyPort, OPEN_REGISTRY_DFS_DISK_PATH: other.blobs }
    for (const args of [['serve'], ['gc', '--grace', '0']])
      expectRefusal(await runCommand(args, { cwd: one.cwd, env }), /is another one than the database knows/)
    // Nor does a new database take it.
    await using empty = await temporaryFolder()
    expectRefusal(
      await runCommand(['serve'], { cwd: empty.path, env }),
      /holds objects of another registry, or of a database that is not this one/,
    )
    expect(await objectFiles(other.blobs)).toHaveLength(1)
  })

  test('is told of by doctor', async () => {
    await using used = await usedRegistry()
    const { cwd } = used
    const examine = async (env: Record<string, string> = {}) => {
      const { stdout } = await runCommand(['doctor', '--json'], { cwd, env: { ...anyPort, ...env } })
      const { checks } = JSON.parse(stdout) as {
        checks: { check: string; status: string; message: string }[]
      }
      return checks.find(({ check }) => check === 'blobs')
    }
    expect(await examine()).toMatchObject({ status: 'ok' })
    expect(await examine({ OPEN_REGISTRY_DFS_DISK_PATH: 'elsewhere' })).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('This is not where the blobs') as string,
    })
    // A data folder without a database, and a folder with objects.
    expect(
      await examine({ OPEN_REGISTRY_DATA_DIR: 'new', OPEN_REGISTRY_DFS_DISK_PATH: used.blobs }),
    ).toMatchObject({ status: 'failed' })
    expect(await examine({ OPEN_REGISTRY_DATA_DIR: 'new' })).toMatchObject({ status: 'ok' })
  })
})

test('while the disk is away a server says so and answers 503; when it is back everything is there', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const blobs = join(cwd, 'data', 'blobs')
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  await rename(blobs, `${blobs}.away`)
  await mkdir(blobs)
  const ready = await fetch(`${live.server}/readyz`)
  expect([ready.status, await ready.json()]).toMatchObject([503, { checks: { 'backend disk': 'failing' } }])
  // The log is written off the way of requests.
  await vi.waitFor(() =>
    expect(JSON.stringify(live.log.filter(({ event }) => event === 'not_ready'))).toContain(
      `the folder ${blobs} (dfs.disk.path) is not there, or has no registry.id`,
    ),
  )
  expect(await status(live, image)).toBe(503)
  expect(await status(live, image, 'HEAD')).toBe(200)
  await expect(pushImage(live.client, 'me/app:2')).rejects.toThrow()
  expect(await readdir(blobs)).toEqual([])
  await rm(blobs, { recursive: true })
  await rename(`${blobs}.away`, blobs)
  expect((await fetch(`${live.server}/readyz`)).status).toBe(200)
  expect(await status(live, image)).toBe(200)
  await pushImage(live.client, 'me/app:2')
})

describe('a registry of a release without identities', () => {
  /** As that release has left it. */
  async function forget({ cwd, blobs }: { cwd: string; blobs: string }): Promise<void> {
    await rm(join(blobs, 'registry.id'))
    using database = new DatabaseSync(join(cwd, 'data', 'openregistry.db'))
    database.exec('DELETE FROM backend_identities')
  }

  test('gets one by itself where its objects are, at the start of a server', async () => {
    await using used = await usedRegistry()
    const { cwd, blobs, image } = used
    await forget(used)
    expectRefusal(await runCommand(['gc'], { cwd }), /No server has used the folder/)
    await using live = await runServer({ cwd })
    expect(await status(live, image)).toBe(200)
    expect(await identityOf(blobs)).toMatch(/^[0-9a-f]{32}\n$/)
    expect((await runCommand(['gc'], { cwd })).code).toBe(0)
  })

  test('is refused where they are not', async () => {
    await using used = await usedRegistry()
    const { cwd, blobs } = used
    await forget(used)
    await rename(blobs, `${blobs}.away`)
    await mkdir(blobs)
    expectRefusal(
      await runCommand(['serve'], { cwd, env: anyPort }),
      /1 of 1 objects that the database names/,
    )
    expect(await readdir(blobs)).toEqual([])
  })
})

describe('adopt', () => {
  test('gives a folder that was moved or restored without its identity to the database', async () => {
    await using used = await usedRegistry()
    const { cwd, blobs, image } = used
    await rename(blobs, join(cwd, 'moved'))
    await rm(join(cwd, 'moved', 'registry.id'))
    const env = { OPEN_REGISTRY_DFS_DISK_PATH: 'moved' }
    const asked = await runCommand(['adopt'], { cwd, env })
    expect(asked).toMatchObject({ code: 2, stdout: '' })
    expect(asked.stderr).toContain('1 object of the database was looked for, and all are there.')
    expect(asked.stderr).toContain('add --yes')
    const done = await runCommand(['adopt', '--yes', '--json'], { cwd, env })
    expect(JSON.parse(done.stdout)).toMatchObject({ backend: 'disk', before: 'none', asked: 1, missing: 0 })
    await using live = await runServer({ cwd, env })
    expect(await status(live, image)).toBe(200)
  })

  test('wants to hear it twice when objects are missing', async () => {
    await using used = await usedRegistry()
    const { cwd, blobs, image } = used
    await rm(blobs, { recursive: true })
    expectRefusal(await runCommand(['adopt', '--yes'], { cwd }), /1 of them are missing/, /--accept-missing/)
    await expect(stat(blobs)).rejects.toThrow('ENOENT')
    expect((await runCommand(['adopt', '--yes', '--accept-missing'], { cwd })).code).toBe(0)
    await using live = await runServer({ cwd })
    // The first one finds it missing, and a push brings it back.
    expect([await status(live, image), await status(live, image)]).toEqual([503, 404])
    await live.client.oci.uploadBlob('me/app' as never, image.layer.digest, image.layer.bytes)
    expect(await status(live, image)).toBe(200)
  })

  test('beside a live server, which goes on; a copy of the database does not', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const blobs = join(cwd, 'data', 'blobs')
    await using live = await runServer({ cwd })
    const image = await pushImage(live.client, 'me/app:1')
    await mkdir(join(cwd, 'copy'))
    {
      using database = new DatabaseSync(join(cwd, 'data', 'openregistry.db'))
      database.exec(`VACUUM INTO '${join(cwd, 'copy', 'openregistry.db')}'`)
    }
    const before = await identityOf(blobs)
    const { code, stderr } = await runCommand(['adopt', '--yes'], { cwd })
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('belongs to this database already') as string,
    })
    expect(await identityOf(blobs)).not.toBe(before)
    expect((await fetch(`${live.server}/readyz`)).status).toBe(200)
    expect(await status(live, image)).toBe(200)
    await pushImage(live.client, 'me/app:2')
    const env = { OPEN_REGISTRY_DATA_DIR: 'copy', OPEN_REGISTRY_DFS_DISK_PATH: blobs }
    expectRefusal(
      await runCommand(['gc', '--grace', '0'], { cwd, env }),
      /is another one than the database knows/,
    )
  })
})

describe('a backup', () => {
  test('is a registry of its own: its database is not taken for that of the original folder', async () => {
    await using used = await usedRegistry()
    const { cwd, blobs, image } = used
    expect((await runCommand(['backup', 'saved'], { cwd })).code).toBe(0)
    expect(await identityOf(join(cwd, 'saved', 'blobs'))).not.toBe(await identityOf(blobs))
    const env = { ...anyPort, OPEN_REGISTRY_DATA_DIR: 'saved', OPEN_REGISTRY_DFS_DISK_PATH: blobs }
    for (const args of [['serve'], ['gc', '--grace', '0']])
      expectRefusal(await runCommand(args, { cwd, env }), /is another one than the database knows/)
    // It can be examined before anything was started from it.
    const own = { OPEN_REGISTRY_DATA_DIR: 'saved' }
    expect((await runCommand(['scrub'], { cwd, env: own })).code).toBe(0)
    await using live = await runServer({ cwd, env: own })
    expect(await status(live, image)).toBe(200)
  })

  test('whose database alone is restored takes the folder when somebody says so', async () => {
    await using used = await usedRegistry()
    const { cwd, image } = used
    await runCommand(['backup', 'saved'], { cwd })
    for (const side of ['', '-wal', '-shm'])
      await rm(join(cwd, 'data', `openregistry.db${side}`), { force: true })
    await writeFile(
      join(cwd, 'data', 'openregistry.db'),
      await readFile(join(cwd, 'saved', 'openregistry.db')),
    )
    expectRefusal(await runCommand(['serve'], { cwd, env: anyPort }), /openregistry adopt/)
    expect((await runCommand(['adopt', '--yes'], { cwd })).code).toBe(0)
    await using live = await runServer({ cwd })
    expect(await status(live, image)).toBe(200)
  })
})

describeWithPostgres('on PostgreSQL', (cluster) => {
  const settings = async () => ({
    ...databaseVariables(await cluster().createDatabase()),
    OPEN_REGISTRY_DB_POOL_SIZE: '4',
    OPEN_REGISTRY_HTTP_WORKERS: '2',
  })

  test('servers whose folders are not one are found out at the start', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = { ...anyPort, ...(await settings()) }
    const first = { ...env, OPEN_REGISTRY_DFS_DISK_PATH: 'one' }
    await using _live = await runServer({ cwd, env: first })
    const second = { ...env, OPEN_REGISTRY_DFS_DISK_PATH: 'two' }
    expectRefusal(await runCommand(['serve', '--json'], { cwd, env: second }), /This is not where the blobs/)
    await using _third = await runServer({ cwd, env: first })
  })

  test('scrub and gc in an empty folder mark and forget nothing', async () => {
    await using folder = await temporaryFolder()
    await using elsewhere = await temporaryFolder()
    const env = await settings()
    await using live = await runServer({ cwd: folder.path, env })
    const image = await pushImage(live.client, 'me/app:1')
    for (const args of [['scrub'], ['gc', '--grace', '0']])
      expectRefusal(await runCommand(args, { cwd: elsewhere.path, env }), /This is not where the blobs/)
    expect(await readdir(elsewhere.path)).toEqual([])
    expect(await status(live, image)).toBe(200)
  })
})
