import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeWithPostgres } from '@openregistry/testkit'
import { describe, expect, test, type TestContext } from 'vitest'
import { runCommand, type Ended, type RunOptions } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const anyPort = { OPEN_REGISTRY_HTTP_PORT: '0' }
const run = (args: readonly string[], options: RunOptions): Promise<Ended> =>
  runCommand(args, { ...options, env: { ...anyPort, ...options.env } })

/** Expects an end with 1, and one text for people: no stack, nothing on the standard output. */
function expectRefusal({ code, stdout, stderr }: Ended, ...texts: string[]): void {
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^openregistry: /)
  expect(stderr).not.toMatch(/\n\s+at |E[A-Z]{4,}:/)
  for (const text of texts) expect(stderr).toContain(text)
}

/** A folder whose registry has run once. */
async function usedFolder() {
  const folder = await temporaryFolder()
  await (await runServer({ cwd: folder.path })).stop()
  const data = join(folder.path, 'data')
  return { ...folder, data, file: join(data, 'openregistry.db') }
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

describe('a database that is not for this program stays as it is:', () => {
  const commands = ['serve', 'migrate'] as const

  test.each(commands)('a newer schema and %s', async (name) => {
    await using folder = await usedFolder()
    using database = new DatabaseSync(folder.file)
    database.exec(
      `INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'from-the-future', 0)`,
    )
    database.close()
    const before = await hashOf(folder.file)
    expectRefusal(
      await run([name], { cwd: folder.path }),
      'has schema 9999',
      'Nothing was changed.',
      'Run a version of OpenRegistry that is at least as new',
    )
    expect(await hashOf(folder.file)).toBe(before)
  })

  test.each(commands)('a database of another program and %s', async (name) => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'data'))
    const file = join(folder.path, 'data', 'openregistry.db')
    using database = new DatabaseSync(file)
    database.exec('CREATE TABLE theirs (id INTEGER)')
    database.close()
    const before = await hashOf(file)
    expectRefusal(await run([name], { cwd: folder.path }), 'is a database of another program')
    expect(await hashOf(file)).toBe(before)
  })

  test.each(commands)('a file that is no database and %s', async (name) => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'data'))
    const file = join(folder.path, 'data', 'openregistry.db')
    await writeFile(file, 'holiday photographs, '.repeat(100))
    const before = await hashOf(file)
    expectRefusal(
      await run([name], { cwd: folder.path }),
      'not an OpenRegistry database; set data_dir to another folder',
    )
    expect(await hashOf(file)).toBe(before)
  })
})

describe('two servers on one database:', () => {
  test('the second one refuses, also under another name of the folder', async () => {
    await using folder = await temporaryFolder()
    await using first = await runServer({ cwd: folder.path })
    await symlink(join(folder.path, 'data'), join(folder.path, 'alias'))
    for (const data of ['data', 'alias', './x/../data']) {
      const second = await run(['serve'], { cwd: folder.path, env: { OPEN_REGISTRY_DATA_DIR: data } })
      expectRefusal(second, 'Another server is using', 'Stop it, or give this one another data_dir')
    }
    expect((await fetch(`${first.server}/readyz`)).status).toBe(200)
  })

  test('nor does a name of its own for the file help', async () => {
    await using folder = await temporaryFolder()
    await using _first = await runServer({ cwd: folder.path })
    await mkdir(join(folder.path, 'other'))
    await symlink(join(folder.path, 'data', 'openregistry.db'), join(folder.path, 'other', 'openregistry.db'))
    const second = await run(['serve'], { cwd: folder.path, env: { OPEN_REGISTRY_DATA_DIR: 'other' } })
    expectRefusal(second, 'Another server is using')
  })
})

/** Somebody without rights: this user; of root, nobody, if that one may run the program from here. */
async function unprivileged(context: TestContext, cwd: string): Promise<Pick<RunOptions, 'user'>> {
  if (process.getuid?.() !== 0) return {}
  const user = { user: 65_534 }
  const ended = await runCommand(['version'], { cwd, ...user }).catch(() => null)
  if (ended?.code !== 0) context.skip('root may write everywhere, and nobody else may run this checkout')
  return user
}

describe('a data folder', () => {
  test('that is missing is made by the server, and missed by everything else', async () => {
    await using folder = await temporaryFolder()
    const env = { OPEN_REGISTRY_DATA_DIR: 'deep/down/data' }
    expectRefusal(await run(['backup', 'copy'], { cwd: folder.path, env }), 'there is no registry in')
    expect(await readdir(folder.path)).toEqual([])
    await using _server = await runServer({ cwd: folder.path, env })
    expect(await readdir(join(folder.path, 'deep/down/data'))).toContain('openregistry.db')
  })

  test.each(['serve', 'migrate'])('that is a file stops %s', async (name) => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'data'), 'a file')
    expectRefusal(await run([name], { cwd: folder.path }), join(folder.path, 'data'), 'file')
    expect(await readFile(join(folder.path, 'data'), 'utf8')).toBe('a file')
  })

  test.each(['serve', 'migrate'])('that cannot be made stops %s', async (name) => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'between'), 'a file')
    const env = { OPEN_REGISTRY_DATA_DIR: 'between/data' }
    expectRefusal(await run([name], { cwd: folder.path, env }), join(folder.path, 'between/data'))
  })

  test.for(['serve', 'migrate'])('that this user may not write stops %s', async (name, context) => {
    await using folder = await temporaryFolder()
    const data = join(folder.path, 'data')
    await mkdir(data)
    for (const path of [data, folder.path]) await chmod(path, 0o555)
    const user = await unprivileged(context, folder.path)
    const ended = await run([name], { cwd: folder.path, ...user })
    await chmod(folder.path, 0o755)
    expectRefusal(ended, 'may not', data)
  })

  test.for(['serve', 'migrate'])('that has become read-only stops %s', async (name, context) => {
    await using folder = await usedFolder()
    await chmod(folder.path, 0o755)
    const entries = await readdir(folder.data, { recursive: true, withFileTypes: true })
    for (const entry of entries)
      await chmod(join(entry.parentPath, entry.name), entry.isFile() ? 0o444 : 0o555)
    await chmod(folder.data, 0o555)
    const user = await unprivileged(context, folder.path)
    const ended = await run([name], { cwd: folder.path, ...user })
    await chmod(folder.data, 0o755)
    expectRefusal(ended, 'may not write', folder.data)
  })
})

describeWithPostgres('a PostgreSQL that does not let us in', (cluster) => {
  const secret = 'k7-canary-secret'

  async function serveOn(change: Record<string, string>): Promise<Ended> {
    await using folder = await temporaryFolder()
    const { host, port, user, password, name } = await cluster().createDatabase()
    const settings = { HOST: host, PORT: String(port), USER: user, PASSWORD: password, NAME: name, ...change }
    const env = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`OPEN_REGISTRY_DB_${key}`, value]),
    )
    const ended = await run(['serve'], { cwd: folder.path, env })
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(secret)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(password)
    return ended
  }

  test('because the password is wrong', async () => {
    expectRefusal(
      await serveOn({ PASSWORD: secret }),
      'the password of user "postgres" is wrong; check db.user and db.password',
    )
  })

  test('because the database is not there', async () => {
    expectRefusal(await serveOn({ NAME: 'nowhere' }), 'createdb --owner=postgres nowhere')
  })

  test('because the user is not there', async () => {
    expectRefusal(await serveOn({ USER: 'mallory' }), 'user "mallory"', 'check db.user')
  })

  test('because the schema is newer than this program knows, and nothing is changed', async () => {
    await using folder = await temporaryFolder()
    const { host, port, user, password, name } = await cluster().createDatabase()
    const env = {
      ...{ OPEN_REGISTRY_DB_HOST: host, OPEN_REGISTRY_DB_PORT: String(port), OPEN_REGISTRY_DB_USER: user },
      ...{ OPEN_REGISTRY_DB_PASSWORD: password, OPEN_REGISTRY_DB_NAME: name },
    }
    await (await runServer({ cwd: folder.path, env })).stop()
    await cluster().sql(
      `INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'from-the-future', 0)`,
      name,
    )
    const tables = () => cluster().sql('SELECT count(*), max(version) FROM schema_migrations', name)
    const before = await tables()
    expectRefusal(await run(['serve'], { cwd: folder.path, env }), 'has schema 9999', 'Nothing was changed.')
    expect(await tables()).toBe(before)
  })
})
