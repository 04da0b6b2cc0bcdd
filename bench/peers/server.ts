import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { treeMemory } from '../process-tree.ts'
import type { FoundPeer } from './index.ts'

const startLimitMilliseconds = 30_000
const stopLimitMilliseconds = 20_000

/** Process groups that are alive, so that an interrupted bench leaves none behind. */
const alive = new Set<number>()

/** Ends every registry that is still running; for the moment the bench is interrupted. */
export function killAll(): void {
  for (const pid of alive) killGroup(pid)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

/** One GET /v2/ on a bare connection; true for any HTTP answer that is not a server error. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.once('connect', () => socket.write(`GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`))
  socket.once('data', (bytes: Buffer) => resolve(/^HTTP\/1\.1 [234]/.test(bytes.toString('latin1', 0, 16))))
  socket.once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  return await promise.finally(() => socket.destroy())
}

/** A registry that answers, with its data in a folder of its own; disposing stops it and deletes the folder. */
export class Server implements AsyncDisposable {
  readonly found: FoundPeer
  readonly port: number
  /** Root of its process tree. */
  readonly pid: number
  /** From the start of the process to the first answer. */
  readonly startSeconds: number
  /** Bytes of private and shared memory of the tree at the first answer. */
  readonly idleMemory: number
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(
    found: FoundPeer,
    port: number,
    folder: string,
    child: ChildProcess,
    startSeconds: number,
  ) {
    this.found = found
    this.port = port
    this.pid = child.pid ?? 0
    this.startSeconds = startSeconds
    this.idleMemory = treeMemory(this.pid)
    this.#folder = folder
    this.#child = child
  }

  /**
   * Starts a registry on a free port.
   *
   * @param parent folder on the disk that is to be measured
   * @throws Error with the registry's own words when it does not answer in time
   */
  static async start(found: FoundPeer, parent: string): Promise<Server> {
    const folder = await mkdtemp(join(parent, `${found.peer.id}-`))
    const port = await freePort()
    const { command, args, env, files } = found.peer.launch(found.program, port, folder)
    for (const [path, content] of Object.entries(files)) await writeFile(path, content)
    const log = openSync(join(folder, 'output.log'), 'a')
    const start = performance.now()
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...inheritedEnvironment(), ...env },
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    await once(child, 'spawn')
    if (child.pid !== undefined) alive.add(child.pid)
    while (!(await answers(port))) {
      if (child.exitCode === null && performance.now() - start < startLimitMilliseconds) {
        await delay(2)
        continue
      }
      const words = (await readFile(join(folder, 'output.log'), 'utf8')).slice(-2000)
      await new Server(found, port, folder, child, NaN)[Symbol.asyncDispose]()
      throw new Error(`${found.peer.label} did not start: ${words}`)
    }
    return new Server(found, port, folder, child, (performance.now() - start) / 1000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await Promise.race([exited, delay(stopLimitMilliseconds, undefined, { ref: false })])
    }
    killGroup(this.pid)
    alive.delete(this.pid)
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Ours, without what would configure a registry behind the bench's back. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(OPEN_REGISTRY|REGISTRY|OTEL|ZOT)_/.test(name),
  )
  return Object.fromEntries(entries)
}
