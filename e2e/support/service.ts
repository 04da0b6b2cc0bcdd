import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from './environment.ts'
import { killGroup } from './run.ts'

/** How a daemon is started. */
export interface ServiceOptions {
  /** For error messages. */
  name: string
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  /** Gets all its output. */
  logFile: string
  /** Asked again and again until it says yes. */
  ready: () => Promise<boolean>
}

const startLimit = 30_000
const stopLimit = 40_000
const pollInterval = 20

/** A running daemon. Disposing stops it. */
export class Service implements AsyncDisposable {
  readonly #options: ServiceOptions
  readonly #child: ChildProcess

  private constructor(options: ServiceOptions, child: ChildProcess) {
    this.#options = options
    this.#child = child
  }

  /**
   * Starts a daemon and waits until it is ready.
   * @throws Error with the end of its log when it ends or does not get ready in time
   */
  static async start(options: ServiceOptions): Promise<Service> {
    const log = openSync(options.logFile, 'a')
    const [command, ...args] = [...dyingWithUs(), options.command, ...options.args]
    const child = spawn(command ?? '', args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    await once(child, 'spawn')
    const service = new Service(options, child)
    try {
      await service.#untilReady()
      return service
    } catch (error) {
      killGroup(child)
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything that it has written so far. */
  log(): string {
    return readFileSync(this.#options.logFile, 'utf8')
  }

  /** Sends a signal to the daemon alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /**
   * Asks it to stop, and makes sure of it.
   * @returns its exit code; null when it had to be killed
   */
  async stop(): Promise<number | null> {
    if (!this.#ended) {
      const timer = setTimeout(() => killGroup(this.#child), stopLimit)
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await exit
      clearTimeout(timer)
    }
    // What it started and left behind.
    killGroup(this.#child)
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async #untilReady(): Promise<void> {
    const { name, ready } = this.#options
    const deadline = performance.now() + startLimit
    while (!(await ready())) {
      if (this.#ended || performance.now() > deadline) {
        const state = this.#child.exitCode ?? this.#child.signalCode ?? 'not ready in time'
        throw new Error(`${name} did not start (${state}):\n${this.log().slice(-4000)}`)
      }
      await delay(pollInterval)
    }
  }
}

/** What to call a program with so that the system ends it when the tests are killed: empty where that is unknown. */
function dyingWithUs(): string[] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : null
  return setpriv === null ? [] : [setpriv, '--pdeathsig', 'TERM', '--']
}
