import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { launch, untilAnswer } from './launch.ts'
import type { Service, Site } from './peer.ts'

/** Some registries read all they have before they answer. */
const startLimitMilliseconds = 120_000
const stopLimitMilliseconds = 20_000

/** Process groups that are alive, so that an interrupted bench leaves none behind. */
const alive = new Set<number>()

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}

/** Ends everything that is still running; for the moment the bench is interrupted. */
export function killRunning(): void {
  for (const pid of alive) killGroup(pid)
}

/** The process of a registry or of what it stands on, which answers; disposing stops it. */
export class Running implements AsyncDisposable {
  /** Root of its process tree. */
  readonly pid: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? 0
    alive.add(this.pid)
  }

  /** @throws Error with its own words when it does not answer in time */
  static async start(service: Pick<Service, 'launch'>, site: Site): Promise<Running> {
    const child = await launch(service, site)
    const running = new Running(child)
    try {
      await untilAnswer(child, site, startLimitMilliseconds)
    } catch (error) {
      await running[Symbol.asyncDispose]()
      throw error
    }
    return running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await Promise.race([exited, delay(stopLimitMilliseconds, undefined, { ref: false })])
    }
    killGroup(this.pid)
    alive.delete(this.pid)
  }
}
