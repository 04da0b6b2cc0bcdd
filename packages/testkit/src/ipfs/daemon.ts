import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

/** How long a program may take to be ready, in milliseconds; it is a bound against hanging, nothing is measured. */
const startLimit = 60_000

/** A program that runs until it is told to end. */
export class Daemon {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /**
   * Starts a program.
   * @param ready what it prints when it is ready.
   * @throws Error with what it printed, when it ends before that, or takes too long.
   */
  static async start(
    program: string,
    words: readonly string[],
    { ready, ...options }: SpawnOptions & { ready: string },
  ): Promise<Daemon> {
    const child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let log = ''
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-16_384)
        if (log.includes(ready)) resolve()
      })
    }
    const timer = setTimeout(() => reject(new Error(`${program} is not ready:\n${log}`)), startLimit)
    child.once('exit', (code, signal) =>
      reject(new Error(`${program} ended with ${code ?? signal}:\n${log}`)),
    )
    child.once('error', reject)
    try {
      await promise
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    } finally {
      clearTimeout(timer)
    }
    return new Daemon(child)
  }

  /** Ends it; `SIGKILL` as a crash does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill(signal)
    await ended
  }

  /** Lets it stand still, with its connections open. */
  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }
}
