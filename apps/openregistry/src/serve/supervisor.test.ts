import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { constants, getPriority } from 'node:os'
import { describeWithPostgres, type PostgresCluster } from '@openregistry/testkit'
import { parseRepositoryName } from '@openregistry/oci'
import { expect, test, vi } from 'vitest'
import { databaseVariables } from '../testing/on-postgres.ts'
import { isAlive, workersOf } from '../testing/process-tree.ts'
import { pushImage } from '../testing/push-image.ts'
import { runCommand } from '../testing/run-command.ts'
import { runServer, type ServerUnderTest } from '../testing/run-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

describeWithPostgres('many processes', (cluster) => {
  test('a supervisor, its workers and one for the background, and one start in the log', async () => {
    await using tree = await startTree(cluster())
    expect([...(await workersOf(tree.server.pid)).keys()].sort()).toStrictEqual([
      'background',
      'http-1',
      'http-2',
    ])
    const workers = await workersOf(tree.server.pid)
    expect(getPriority(workers.get('background'))).toBe(constants.priority.PRIORITY_BELOW_NORMAL)
    expect(getPriority(workers.get('http-1'))).toBe(getPriority(tree.server.pid))
    const { digest } = await pushImage(tree.server.client, 'me/app:1')
    expect((await tree.server.client.oci.getManifest(name, digest)).size).toBeGreaterThan(0)
    expect(await answering(tree.server)).toHaveProperty('size', 2)
    expect(await tree.server.stop()).toBe(0)
    for (const event of ['server_start', 'open_mode', 'server_stopping', 'server_stop']) {
      expect(tree.events(event)).toHaveLength(1)
    }
    for (const pid of tree.pids) expect(isAlive(pid)).toBe(false)
  })

  test('the numbers of all processes are added up, and never go back', async () => {
    const apart = `127.0.0.1:${await freePort()}`
    await using tree = await startTree(cluster(), { OPEN_REGISTRY_METRICS_LISTEN: apart })
    const { server, metrics } = { server: tree.server, metrics: `http://${apart}` }
    for (let n = 0; n < 40; n++) await once404(server.server)
    expect(await requests(metrics)).toBe(40)
    const { 'http-1': victim } = Object.fromEntries(await workersOf(server.pid))
    process.kill(victim!, 'SIGKILL')
    await vi.waitFor(() => expect(tree.events('worker_start')).toHaveLength(1), 20_000)
    expect(await requests(metrics)).toBe(40)
    for (let n = 0; n < 10; n++) await once404(server.server)
    expect(await requests(metrics)).toBe(50)
    expect(await sample(metrics, 'openregistry_worker_restarts_total')).toBe(1)
    expect(await sample(metrics, 'openregistry_workers')).toBe(3)
  })

  test('a worker that hangs keeps nobody from being served, and its numbers stay', async () => {
    await using tree = await startTree(cluster())
    const { server, pid } = tree.server
    for (let n = 0; n < 20; n++) await once404(server)
    expect(await requests(server)).toBe(20)
    const stuck = (await workersOf(pid)).get('http-1')!
    process.kill(stuck, 'SIGSTOP')
    try {
      for (let n = 0; n < 20; n++) await once404(server)
      expect(await requests(server)).toBe(40)
    } finally {
      process.kill(stuck, 'SIGCONT')
    }
  })

  test('a worker that is killed under load is replaced, and nothing acknowledged is lost', async () => {
    await using tree = await startTree(cluster())
    const { server } = tree
    const pushed: { tag: string; digest: string }[] = []
    let pushing = true
    const pushers = Array.from({ length: 4 }, async (_, who) => {
      for (let n = 0; pushing; n++) {
        const tag = `t${who}-${n}`
        const image = await pushImage(server.client, `me/app:${tag}`).catch(() => null)
        if (image !== null) pushed.push({ tag, digest: image.digest })
      }
    })
    await vi.waitFor(() => expect(pushed.length).toBeGreaterThan(10), 20_000)
    for (const [count, victim] of ['http-1', 'http-2', 'http-1'].entries()) {
      process.kill((await workersOf(server.pid)).get(victim)!, 'SIGKILL')
      await vi.waitFor(() => expect(tree.events('worker_start')).toHaveLength(count + 1), 20_000)
    }
    const before = pushed.length
    await vi.waitFor(() => expect(pushed.length).toBeGreaterThan(before + 5), 20_000)
    pushing = false
    await Promise.all(pushers)
    for (const { digest } of pushed) {
      expect((await server.client.oci.getManifest(name, digest as never)).size).toBeGreaterThan(0)
    }
    expect(tree.events('worker_exit')).toMatchObject([
      { worker: 'http-1', signal: 'SIGKILL', exit_code: null },
      { worker: 'http-2', signal: 'SIGKILL' },
      { worker: 'http-1', signal: 'SIGKILL' },
    ])
  })

  test.each(['SIGTERM to the supervisor', 'Ctrl-C to all of them'])(
    '%s ends what is in flight first',
    async (how) => {
      await using tree = await startTree(cluster())
      const { server } = tree
      const push = await beginPush(server.server)
      const stopped = server.stop(how.startsWith('SIGTERM') ? 'SIGTERM' : 'SIGINT')
      if (!how.startsWith('SIGTERM')) for (const pid of tree.pids) process.kill(pid, 'SIGINT')
      // Nobody takes anything new from here on.
      await vi.waitFor(async () => expect(await isReached(server.server)).toBe(false), 20_000)
      expect(await push.finish()).toBe(202)
      expect(await stopped).toBe(0)
      await vi.waitFor(() => expect(tree.pids.filter(isAlive)).toStrictEqual([]), 20_000)
      expect(tree.events('worker_exit')).toStrictEqual([])
    },
  )

  test('all of them tell balancers before they stop, and a second signal ends them at once', async () => {
    await using tree = await startTree(cluster(), { OPEN_REGISTRY_LIMITS_SHUTDOWN_DELAY: '1h' })
    const { server } = tree
    const stopped = server.stop()
    await vi.waitFor(async () => {
      for (let n = 0; n < 8; n++) expect((await readyz(server.server))[0]).toBe(503)
    }, 20_000)
    await pushImage(server.client, 'me/app:1')
    const again = setInterval(() => process.kill(server.pid, 'SIGTERM'), 500)
    expect(await stopped).toBe(1)
    clearInterval(again)
    await vi.waitFor(() => expect(tree.pids.filter(isAlive)).toStrictEqual([]), 20_000)
  })

  test('a worker that hangs does not keep the others from stopping', async () => {
    await using tree = await startTree(cluster(), { OPEN_REGISTRY_LIMITS_SHUTDOWN_GRACE: '0' })
    process.kill((await workersOf(tree.server.pid)).get('http-1')!, 'SIGSTOP')
    expect(await tree.server.stop()).toBe(0)
    expect(tree.events('workers_killed')).toMatchObject([{ workers: 1 }])
    await vi.waitFor(() => expect(tree.pids.filter(isAlive)).toStrictEqual([]), 20_000)
  })

  test('workers whose supervisor was killed finish what is in flight and end', async () => {
    await using tree = await startTree(cluster())
    const { server } = tree
    const push = await beginPush(server.server)
    const ended = server.stop('SIGKILL')
    await vi.waitFor(() => expect(tree.events('supervisor_gone')).toHaveLength(3), 20_000)
    expect(await push.finish()).toBe(202)
    await ended
    await vi.waitFor(() => expect(tree.pids.filter(isAlive)).toStrictEqual([]), 20_000)
  })

  test('what keeps a worker from serving is the text of the command', async () => {
    await using folder = await temporaryFolder()
    const { password, ...database } = await cluster().createDatabase()
    const env = {
      ...databaseVariables({ ...database, password: `not ${password}` }),
      OPEN_REGISTRY_HTTP_PORT: '0',
    }
    const served = await runCommand(['serve'], { cwd: folder.path, env })
    const said = `the password of user "${database.user}" is wrong; check db.user and db.password.`
    const where = `PostgreSQL at ${database.host}:${database.port}, database "${database.name}"`
    expect(served).toStrictEqual({ code: 1, stdout: '', stderr: `openregistry: ${where}: ${said}\n` })
    expect(served.stderr).not.toContain(password)
  })

  test('a port that is taken is named as ever', async () => {
    await using folder = await temporaryFolder()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const env = {
      ...databaseVariables(await cluster().createDatabase()),
      OPEN_REGISTRY_HTTP_PORT: String(port),
    }
    const { code, stderr } = await runCommand(['serve'], { cwd: folder.path, env })
    other.close()
    expect(code).toBe(1)
    expect(stderr).toContain(`openregistry: port ${port} on 127.0.0.1 is taken by another program.`)
  })

  test('a database that is away, or has another schema, is named until it is back', async () => {
    await using tree = await startTree(cluster(), { OPEN_REGISTRY_HTTP_WORKERS: '1' })
    const { server } = tree.server
    const schema = (sql: string) =>
      cluster().sql(`${sql} schema_migrations SET version = -version`, tree.database.name)
    await schema('UPDATE')
    expect(await readyz(server)).toStrictEqual([
      503,
      { database: 'ok', schema: 'failing', 'backend disk': 'ok' },
    ])
    await schema('UPDATE')
    expect(await readyz(server)).toStrictEqual([200, { database: 'ok', schema: 'ok', 'backend disk': 'ok' }])
    await cluster().stop()
    try {
      const [status, { database, ...others }] = await readyz(server)
      expect([status, others]).toStrictEqual([503, { schema: 'unknown', 'backend disk': 'ok' }])
      expect(['failing', 'no answer']).toContain(database)
      expect((await fetch(`${server}/healthz`)).status).toBe(200)
      // The numbers of the database are missing, the others are there.
      expect(await sample(server, 'openregistry_workers')).toBe(2)
      expect(await sample(server, 'openregistry_upload_sessions')).toBeNull()
    } finally {
      await cluster().start()
    }
    await vi.waitFor(async () => expect((await readyz(server))[0]).toBe(200), 30_000)
    const said = () => tree.server.log.filter(({ event }) => event === 'not_ready' || event === 'ready')
    // The answer may be here before the line of the log.
    await vi.waitFor(() => expect(said()).toHaveLength(4), 20_000)
    expect(said().map(({ parts }) => parts)).toStrictEqual([
      'schema: failing',
      undefined,
      expect.stringMatching(/^database: .*, schema: unknown$/),
      undefined,
    ])
  })

  test('a crash loop is reported and slowed down, and ends when its cause does', async () => {
    await using tree = await startTree(cluster(), { OPEN_REGISTRY_HTTP_WORKERS: '1' })
    const { server } = tree
    const { name: database } = tree.database
    await cluster().sql(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false`)
    process.kill((await workersOf(server.pid)).get('http-1')!, 'SIGKILL')
    await vi.waitFor(() => expect(tree.events('worker_exit').length).toBeGreaterThan(2), 30_000)
    expect(tree.events('worker_exit')).toMatchObject([
      { level: 'warn', signal: 'SIGKILL', restart_ms: 0 },
      {
        level: 'error',
        exit_code: 1,
        count: 2,
        restart_ms: 1000,
        reason: expect.stringContaining(database) as string,
      },
      { level: 'error', exit_code: 1, count: 3, restart_ms: 2000 },
    ])
    await cluster().sql(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS true`)
    await vi.waitFor(() => expect(tree.events('worker_start')).toHaveLength(1), 30_000)
    expect((await fetch(`${server.server}/readyz`)).status).toBe(200)
    expect(JSON.stringify(server.log)).not.toContain(tree.database.password)
  })
})

/** A registry of many processes on a database of its own. */
async function startTree(cluster: PostgresCluster, env: Record<string, string> = {}) {
  const folder = await temporaryFolder()
  const database = await cluster.createDatabase()
  const server = await runServer({
    cwd: folder.path,
    env: { ...databaseVariables(database), OPEN_REGISTRY_HTTP_WORKERS: '2', ...env },
  })
  const pids = [server.pid, ...(await workersOf(server.pid)).values()]
  return {
    server,
    database,
    /** Of all processes at the beginning. */
    pids,
    events: (event: string) => server.log.filter((entry) => entry['event'] === event),
    async [Symbol.asyncDispose]() {
      if (isAlive(server.pid)) await server.stop('SIGKILL')
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Which processes answer, by the part of request ids that each has for itself. */
async function answering({ server }: ServerUnderTest): Promise<Set<string>> {
  const found = new Set<string>()
  for (let n = 0; n < 64 && found.size < 2; n++) {
    const { headers } = await fetch(`${server}/v2/`, { headers: { connection: 'close' } })
    found.add((headers.get('x-request-id') ?? '').slice(0, 13))
  }
  return found
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const listening = createServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  listening.close()
  return port
}

/** One request on a connection of its own, for what is not there. */
async function once404(server: string): Promise<void> {
  const { status } = await fetch(`${server}/v2/me/app/tags/list`, {
    headers: { connection: 'close' },
  })
  expect(status).toBe(404)
}

/** Whether anybody listens. */
function isReached(server: string): Promise<boolean> {
  return fetch(`${server}/healthz`, { headers: { connection: 'close' } }).then(
    () => true,
    () => false,
  )
}

/** Status and checks of `/readyz`. */
async function readyz(server: string): Promise<[number, Record<string, string>]> {
  const answer = await fetch(`${server}/readyz`, { headers: { connection: 'close' } })
  const { checks } = (await answer.json()) as { checks: Record<string, string> }
  return [answer.status, checks]
}

/** All requests for lists of tags that were counted. */
function requests(server: string): Promise<number | null> {
  return sample(server, 'openregistry_http_requests_total{route="tags",method="GET",status="404"}')
}

/** A number of `/metrics`, or null. */
async function sample(server: string, metric: string): Promise<number | null> {
  const text = await (await fetch(`${server}/metrics`, { headers: { connection: 'close' } })).text()
  const line = text.split('\n').find((one) => one.startsWith(metric) && !one.startsWith('#'))
  return line === undefined ? null : Number(line.split(' ').at(-1))
}

/** A push that waits in the middle of its body. */
async function beginPush(server: string): Promise<{ finish(): Promise<number | undefined> }> {
  const opened = await fetch(`${server}/v2/me/app/blobs/uploads/`, { method: 'POST' })
  const sending = request(new URL(opened.headers.get('location') ?? '', server), {
    method: 'PATCH',
    agent: false,
    headers: { expect: '100-continue' },
  })
  const answered = once(sending, 'response')
  // From here on a server has it in its hands.
  sending.flushHeaders()
  await once(sending, 'continue')
  sending.write(randomBytes(100_000))
  return {
    async finish() {
      sending.end(randomBytes(100_000))
      const [response] = (await answered) as [{ statusCode?: number }]
      return response.statusCode
    },
  }
}
