import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../free-port.ts'
import { Volume } from '../volume.ts'
import { findPostgres } from './find-postgres.ts'
import { serverUser } from './server-user.ts'

const run = promisify(execFile)

/** How a temporary cluster is started. */
export interface ClusterOptions {
  /** Further settings of the server, such as `max_connections`. */
  settings?: Readonly<Record<string, string>>
  /** Whether commits reach the disk; only tests that cut the power need it. Default false. */
  durable?: boolean
  /** Whether its files lie on a file system of their own, where this user may mount one: a disk that can be made full. */
  ownDisk?: boolean
}

/** How to reach a database of a temporary cluster. */
export interface DatabaseAddress {
  host: string
  port: number
  user: string
  password: string
  name: string
}

/**
 * A real PostgreSQL server of its own, in a temporary folder and on a free port of 127.0.0.1. It has passwords and a
 * default collation that is not bytewise, as servers have. `await using` ends it.
 */
export class PostgresCluster implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly user = 'postgres'
  readonly password: string
  /** Where the server keeps its files; its owner is whoever the server runs as. */
  readonly folder: string
  /** The disk of the server alone, if `ownDisk` was asked for. */
  readonly disk: Volume | null
  readonly #bin: string
  readonly #options: ClusterOptions
  #server: ChildProcess | null = null

  private constructor(
    bin: string,
    folder: string,
    disk: Volume | null,
    port: number,
    password: string,
    options: ClusterOptions,
  ) {
    this.#bin = bin
    this.folder = folder
    this.disk = disk
    this.port = port
    this.password = password
    this.#options = options
  }

  /**
   * Makes a cluster and starts its server.
   * @throws Error when PostgreSQL is not installed; see `requirePostgres`.
   */
  static async start(options: ClusterOptions = {}): Promise<PostgresCluster> {
    const bin = findPostgres()
    if (bin === null) throw new Error('PostgreSQL is not installed.')
    const folder = await mkdtemp(join(tmpdir(), 'openregistry-postgres-'))
    const disk = options.ownDisk === true ? await Volume.open(folder) : null
    const password = randomBytes(12).toString('hex')
    try {
      await initialise(bin, folder, password)
      const cluster = new PostgresCluster(bin, folder, disk, await freePort(), password, options)
      await cluster.start()
      return cluster
    } catch (error) {
      await disk?.[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Starts the server again after {@link stop}; resolves once it takes connections. */
  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      listen_addresses: this.host,
      unix_socket_directories: '',
      shared_buffers: '32MB',
      fsync: this.#options.durable === true ? 'on' : 'off',
      lc_messages: 'C',
      ...this.#options.settings,
    }
    const words = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
    const server = spawn(join(this.#bin, 'postgres'), ['-D', join(this.folder, 'data'), ...words], {
      ...serverUser(),
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#server = server
    await untilReady(server)
  }

  /**
   * Ends the server. `fast` cuts connections and shuts down in order, `immediate` is a crash: the next start recovers.
   */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const server = this.#running()
    this.#server = null
    if (server === null) return
    const ended = once(server, 'exit')
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  /** Waits until the server takes connections again, after a crash; starts it if it has ended. */
  async recover(): Promise<void> {
    const isBack = (): Promise<boolean> =>
      this.sql('SELECT 1').then(
        () => true,
        () => false,
      )
    while (this.#running() !== null) {
      if (await isBack()) return
      await delay(50)
    }
    await this.start()
  }

  #running(): ChildProcess | null {
    const server = this.#server
    return server !== null && server.exitCode === null && server.signalCode === null ? server : null
  }

  /**
   * Writes to the log of the server, which lies on its disk like everything else, until there is no space left even for
   * that: then it crashes. Meant for a full `disk`.
   */
  async exhaustLog(): Promise<void> {
    const fill = `SELECT pg_logical_emit_message(false, 'full', repeat('x', 100000)) FROM generate_series(1, 100)`
    // 10 MB each time; the first that fails is the last.
    for (let failed = false; !failed;)
      failed = await this.sql(fill).then(
        () => false,
        () => true,
      )
  }

  /** Makes an empty database with a name of its own. */
  async createDatabase(): Promise<DatabaseAddress> {
    const name = `registry_${randomBytes(6).toString('hex')}`
    await this.sql(`CREATE DATABASE ${name}`)
    const { host, port, user, password } = this
    return { host, port, user, password, name }
  }

  /** Runs statements as the superuser, each in a transaction of its own, and gives what psql prints of their rows. */
  async sql(statements: string, database = 'postgres'): Promise<string> {
    const words = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', this.host, '-p', String(this.port)]
    const { stdout } = await run(
      join(this.#bin, 'psql'),
      [...words, '-U', this.user, '-d', database, '-c', statements],
      { env: { ...process.env, PGPASSWORD: this.password, PGOPTIONS: '', PGSSLMODE: 'disable' } },
    )
    return stdout.trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate')
    await this.disk?.[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function initialise(bin: string, folder: string, password: string): Promise<void> {
  const user = serverUser()
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  await chmod(folder, 0o700)
  if (user !== null) for (const path of [folder, passwordFile]) await chown(path, user.uid, user.gid)
  const words = [
    '-D',
    join(folder, 'data'),
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    '--pwfile',
    passwordFile,
  ]
  const locale = ['-E', 'UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
  await run(join(bin, 'initdb'), [...words, ...locale, '--no-sync', '--no-instructions'], {
    ...user,
    cwd: folder,
  })
}

/** Waits for the line that the server writes when it takes connections. */
async function untilReady(server: ChildProcess): Promise<void> {
  let log = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // Kept short: a server of a long test writes a line for each refused statement.
    log = (log + text).slice(-16_384)
    if (log.includes('database system is ready to accept connections')) resolve()
  })
  server.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${log}`)))
  server.once('error', reject)
  await promise
}
