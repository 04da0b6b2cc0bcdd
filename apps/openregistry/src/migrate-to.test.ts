import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import {
  describeWithPostgres,
  PostgresProxy,
  type AtCommit,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseVariables } from './testing/on-postgres.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { startCommand, type Ended } from './testing/run-command.ts'
import { runServer } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** Tags of one image: more than are copied at once. */
const tags = 2500

/** A registry with a few images, and one that has very many tags. */
async function fill(folder: string): Promise<PushedImage> {
  await using registry = await runServer({ cwd: folder })
  const image = await pushImage(registry.client, 'me/app:1')
  for (const name of ['me/tool:1', 'you/app:1']) await pushImage(registry.client, name, 20_000)
  await registry.stop()
  using database = new DatabaseSync(join(folder, 'data', 'openregistry.db'))
  const columns = database.prepare(`SELECT name FROM pragma_table_info('tags')`).all()
  const others = columns.map(({ name }) => String(name)).filter((name) => name !== 'name')
  database.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${tags})
    INSERT INTO tags (name, ${others.join(', ')})
    SELECT 'n' || n, ${others.map((name) => `t.${name}`).join(', ')} FROM numbers, tags AS t
    JOIN repositories AS r ON r.id = t.repository_id WHERE r.name = 'me/app'`)
  return image
}

describeWithPostgres('migrate --to, interrupted', (cluster) => {
  let original: Awaited<ReturnType<typeof temporaryFolder>>
  let image: PushedImage
  /** Commits of a copy that nobody interrupts. */
  let commits = 0

  beforeAll(async () => {
    original = await temporaryFolder()
    image = await fill(original.path)
    await using copy = await newCopy()
    expect(await copy.run()).toMatchObject({ code: 0 })
    commits = copy.proxy.commits
    // Some for the schema and the state of the copy, one for each batch, one for the end.
    expect(commits).toBeGreaterThan(10)
  })
  afterAll(() => original[Symbol.asyncDispose]())

  /** A copy of the registry, an empty database, and a way to it on which things happen. */
  async function newCopy() {
    const folder = await temporaryFolder()
    await cp(join(original.path, 'data'), join(folder.path, 'data'), {
      recursive: true,
      preserveTimestamps: true,
    })
    const address = await cluster().createDatabase()
    const proxy = await PostgresProxy.start(cluster())
    return {
      folder: folder.path,
      address,
      proxy,
      run: (kill?: Kill) => migrateTo(folder.path, { ...address, port: proxy.port }, proxy, kill),
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  }

  /** Nothing is missing, and servers may open the database. */
  async function expectComplete({ name }: DatabaseAddress): Promise<void> {
    const found = await cluster().sql(
      `SELECT (SELECT count(*) FROM tags), (SELECT count(*) FROM repositories), to_regclass('copy_state') IS NULL`,
      name,
    )
    expect(found).toBe(`${tags + 2}|3|t`)
  }

  const early = [1, 2, 3] as const
  test.each<[string, (all: number) => number]>([
    ...early.map((count): [string, () => number] => [`commit ${count}`, () => count]),
    ['the middle', (all) => Math.floor(all / 2)],
    ['the middle of the tags', (all) => all - 5],
    ['the last one but one', (all) => all - 1],
  ])('by kill -9 at %s, and it goes on from there', async (_where, at) => {
    for (const happens of ['cut before', 'pass'] as const) {
      await using copy = await newCopy()
      const kill = { atCommit: at(commits), happens }
      expect(await copy.run(kill)).toMatchObject({ code: null })
      const before = copy.proxy.commits
      expect(before).toBe(kill.atCommit)
      expect(await copy.run()).toMatchObject({ code: 0 })
      // What is there is not copied again.
      expect(copy.proxy.commits - before).toBeLessThanOrEqual(commits - before + 1)
      await expectComplete(copy.address)
    }
  })

  test('by kill -9 while it compares', async () => {
    await using copy = await newCopy()
    expect(await copy.run({ atText: 'comparing blobs: ' })).toMatchObject({ code: null })
    const before = copy.proxy.commits
    expect(await copy.run()).toMatchObject({ code: 0 })
    expect(copy.proxy.commits - before).toBe(1)
    await expectComplete(copy.address)
  })

  test('by kill -9 at the very end: it came to its end, and the next one says so', async () => {
    await using copy = await newCopy()
    expect(await copy.run({ atCommit: commits, happens: 'pass' })).toMatchObject({ code: null })
    await expect.poll(() => expectComplete(copy.address).then(() => true)).toBe(true)
    const again = await copy.run()
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('holds a registry already, perhaps a copy that came to its end')
    await expectComplete(copy.address)
  })

  test('again and again: every run brings it further, and the images are there', async () => {
    await using copy = await newCopy()
    let runs = 0
    for (let code: number | null = null; code === null && runs < commits; runs++) {
      const ended = await copy.run({ atCommit: copy.proxy.commits + 6, happens: 'pass' })
      code = ended.code
      // The run before may have been killed at the very last commit.
      if (code !== null && code !== 0) expect(ended.stderr).toContain('perhaps a copy that came to its end')
    }
    expect(runs).toBeGreaterThan(2)
    expect(runs).toBeLessThanOrEqual(Math.ceil(commits / 5) + 1)
    await expectComplete(copy.address)
    const env = { ...databaseVariables(copy.address), OPEN_REGISTRY_HTTP_WORKERS: '1' }
    await using registry = await runServer({ cwd: copy.folder, env })
    const pulled = await fetch(`${registry.server}/v2/me/app/manifests/n${tags}`)
    expect(pulled.headers.get('Docker-Content-Digest')).toBe(image.digest)
    const layer = await fetch(`${registry.server}/v2/me/app/blobs/${image.layer.digest}`)
    expect(Buffer.from(await layer.arrayBuffer()).equals(image.layer.bytes)).toBe(true)
  })

  test.each(['cut before', 'cut after'] as const)(
    'by a connection that is %s a commit is done',
    async (how) => {
      await using copy = await newCopy()
      for (const at of [2, 5, commits - 4]) {
        copy.proxy.atCommit = (count) => (count === at ? how : 'pass')
        const { code, stderr } = await copy.run()
        expect(code).toBe(1)
        expect(stderr).toContain('The connection to the database was lost; try again.')
      }
      copy.proxy.atCommit = 'pass'
      expect(await copy.run()).toMatchObject({ code: 0 })
      await expectComplete(copy.address)
    },
  )
})

/** Where a command is killed: at a commit, counted by the proxy, or when it says something. */
type Kill = { atCommit: number; happens: AtCommit } | { atText: string }

async function migrateTo(
  cwd: string,
  { host, port, user, password, name }: DatabaseAddress,
  proxy: PostgresProxy,
  kill?: Kill,
): Promise<Ended> {
  const to = `postgres://${user}@${host}:${port}/${name}`
  const env = { OPEN_REGISTRY_DB_PASSWORD: password }
  const child = startCommand(['migrate', '--to', to], { cwd, env })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  if (kill !== undefined && 'atCommit' in kill) {
    proxy.atCommit = (count) => {
      if (count !== kill.atCommit) return 'pass'
      child.kill('SIGKILL')
      return kill.happens
    }
  }
  child.stderr?.on('data', (bytes: Buffer) => {
    if (kill !== undefined && 'atText' in kill && bytes.includes(kill.atText)) child.kill('SIGKILL')
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  const ended = { code: await code, stdout, stderr }
  if (kill !== undefined) proxy.atCommit = 'pass'
  return ended
}
