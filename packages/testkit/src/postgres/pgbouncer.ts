import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'vitest'
import type { PostgresCluster } from './cluster.ts'
import { freePort } from '../free-port.ts'
import { serverUser } from './server-user.ts'

/** PgBouncer in front of a cluster, on a free port of 127.0.0.1; it keeps a connection for each session of a client. */
export class PgBouncer implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port
    this.#folder = folder
    this.#process = child
  }

  /** @throws Error when PgBouncer is not installed; see {@link requirePgBouncer}. */
  static async start({ host, port, user, password }: PostgresCluster): Promise<PgBouncer> {
    const program = findPgBouncer()
    if (program === null) throw new Error('PgBouncer is not installed.')
    const folder = await mkdtemp(join(tmpdir(), 'openregistry-pgbouncer-'))
    const own = await freePort()
    const users = join(folder, 'users')
    const configuration = join(folder, 'pgbouncer.ini')
    const settings = [
      `* = host=${host} port=${port}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1`,
      `listen_port = ${own}`,
      'unix_socket_dir =',
      'pool_mode = session',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
    ]
    await writeFile(users, `"${user}" "${password}"\n`)
    await writeFile(configuration, `[databases]\n${settings.join('\n')}\n`)
    // Like the server it does not run as root.
    const as = serverUser()
    if (as !== null) for (const path of [folder, users, configuration]) await chown(path, as.uid, as.gid)
    const child = spawn(program, [configuration], { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const pooler = new PgBouncer(own, folder, child)
    try {
      await untilUp(child)
      return pooler
    } catch (error) {
      await pooler[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process
    const ended = exitCode === null && signalCode === null ? once(this.#process, 'exit') : null
    // It keeps nothing, and what other signals mean differs between its versions.
    this.#process.kill('SIGKILL')
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Skips a test where there is no PgBouncer, with the reason that the runner counts. */
export function requirePgBouncer(context: TestContext): void {
  if (findPgBouncer() === null) context.skip('missing peer: pgbouncer (tools/peers/install.sh --debian)')
}

/** Debian puts it where only root's PATH leads. */
function findPgBouncer(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  const isThere = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return folders.map((folder) => join(folder, 'pgbouncer')).find(isThere) ?? null
}

async function untilUp(child: ChildProcess): Promise<void> {
  let log = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-16_384)
    if (log.includes('process up')) resolve()
  })
  child.once('exit', (code) => reject(new Error(`PgBouncer ended with ${code}:\n${log}`)))
  child.once('error', reject)
  await promise
}
