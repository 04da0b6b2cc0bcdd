import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { chown, mkdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Database } from '../peers/peer.ts'
import { findPostgres } from './programs.ts'

const run = promisify(execFile)
const user = 'postgres'
const startLimitMilliseconds = 30_000

/** PostgreSQL refuses to run as root; its own user must then be there. */
async function account(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null
  const ids = await Promise.all(['-u', '-g'].map((option) => run('id', [option, user])))
  const [uid = NaN, gid = NaN] = ids.map(({ stdout }) => Number(stdout))
  return { uid, gid }
}

/**
 * The server's own defaults, but for what an operator gives it: memory, room for the log between checkpoints, and
 * connections enough for both workers. Commits are synced, as always.
 */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '200',
}

/** A PostgreSQL server with an empty database; disposing ends it. Its folder is deleted by whoever gave it. */
export class Cluster implements AsyncDisposable, Database {
  readonly port: number
  readonly pid: number
  readonly user = user
  readonly name = 'postgres'
  /** Of its programs. */
  readonly programs: string
  readonly #child: ChildProcess

  private constructor(port: number, programs: string, child: ChildProcess) {
    this.port = port
    this.programs = programs
    this.pid = child.pid ?? 0
    this.#child = child
  }

  /**
   * Makes and starts one.
   *
   * @param folder does not exist yet; its parents can be passed by everybody
   * @param port free, on 127.0.0.1
   * @throws Error with the server's own words
   */
  static async start(folder: string, port: number): Promise<Cluster> {
    const found = await findPostgres()
    if ('missing' in found) throw new Error(found.missing)
    const owner = await account()
    await mkdir(folder, { mode: 0o700 })
    if (owner !== null) await chown(folder, owner.uid, owner.gid)
    const shape = ['-D', folder, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await run(`${found.folder}/initdb`, shape, { ...owner, cwd: folder })
    const log = openSync(`${folder}.log`, 'a')
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(`${found.folder}/postgres`, ['-D', folder, '-p', String(port), ...options], {
      ...owner,
      cwd: folder,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    await once(child, 'spawn')
    const cluster = new Cluster(port, found.folder, child)
    const end = performance.now() + startLimitMilliseconds
    while (!(await cluster.#answers())) {
      if (child.exitCode === null && performance.now() < end) {
        await delay(20)
        continue
      }
      await cluster[Symbol.asyncDispose]()
      throw new Error(`PostgreSQL did not start: ${(await readFile(`${folder}.log`, 'utf8')).slice(-2000)}`)
    }
    return cluster
  }

  async #answers(): Promise<boolean> {
    return await run(`${this.programs}/psql`, [...psqlArguments(this), '-c', 'SELECT 1']).then(
      () => true,
      () => false,
    )
  }

  /** Ends it at once: its data are deleted anyway. */
  kill(): void {
    this.#child.kill('SIGQUIT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.kill()
    await exited
  }
}

/** How psql reaches a database; it stops at the first error. */
export function psqlArguments({ port, user: name, name: database }: Database): string[] {
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', name, '-d', database]
  return ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', ...where]
}
