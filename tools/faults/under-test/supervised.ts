import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HttpClient } from '@openregistry/testkit'
import { processTree, watchMemory } from '../../../bench/process-tree.ts'
import { freePort } from './free-port.ts'
import type { ProcessOptions, RegistryProcess } from './registry-process.ts'

const command = fileURLToPath(new URL('../../../bin/openregistry', import.meta.url))

/** Milliseconds that a start, an end, or the replacement of a worker may take: beyond `limits.shutdown_grace`, 30 s. */
const patience = 45_000

interface Running {
  supervisor: ChildProcess
  client: HttpClient
  gone: Promise<void>
  memory: { stop(): number }
}

/** The command itself: a supervisor with two workers and one process for the background. */
export class Supervised implements RegistryProcess {
  readonly name: string
  peakMemory = 0
  readonly #options: ProcessOptions
  #running: Running | null = null
  #mayDie = false

  constructor(options: ProcessOptions) {
    this.name = options.name
    this.#options = options
  }

  get isUp(): boolean {
    return this.#running !== null
  }

  get gone(): Promise<void> {
    return this.#running?.gone ?? Promise.resolve()
  }

  client(): HttpClient {
    if (this.#running === null) throw new Error(`${this.name} does not run.`)
    return this.#running.client
  }

  async start(): Promise<void> {
    const { env, cwd, log, report, name } = this.#options
    const port = await freePort()
    const output = openSync(log, 'a')
    const before = readFileSync(log).length
    const supervisor = spawn(command, ['serve'], {
      cwd,
      stdio: ['ignore', output, output],
      env: {
        ...process.env,
        ...env,
        OPEN_REGISTRY_HTTP_PORT: String(port),
        OPEN_REGISTRY_HTTP_WORKERS: '2',
        OPEN_REGISTRY_LOG_LEVEL: 'info',
      },
    })
    closeSync(output)
    this.#mayDie = false
    const { promise: gone, resolve: ended } = Promise.withResolvers<void>()
    const memory = watchMemory(supervisor.pid ?? 0)
    supervisor.once('exit', (code, signal) => {
      this.peakMemory = Math.max(this.peakMemory, memory.stop())
      this.#running = null
      report.log(`${name} ended: ${code ?? signal}`)
      if (!this.#mayDie) report.violation(`${name} ended by itself: ${code ?? signal}; see ${log}`)
      ended()
    })
    const client = new HttpClient(`http://127.0.0.1:${port}`)
    const early = gone.then(() => Promise.reject(new Error(`${name} ended at its start; its log is ${log}`)))
    early.catch(() => undefined)
    // The first worker answers before the last one is there, and before the supervisor is ready to replace them.
    const isComplete = async (): Promise<boolean> =>
      readFileSync(log).subarray(before).includes('"server_start"') && (await isReady(client))
    await Promise.race([this.#until(isComplete, `${name} did not start; its log is ${log}`), early])
    this.#running = { supervisor, client, gone, memory }
    report.log(`${name} serves at port ${port} (process ${supervisor.pid})`)
  }

  /** The processes of workers and background; the supervisor is not among them. */
  workers(): number[] {
    return processTree(this.#running?.supervisor.pid ?? 0).slice(1)
  }

  /** Kills one worker, and waits until there are as many as before. @throws Error when it is not replaced. */
  async killWorker(choice: number): Promise<void> {
    const before = this.workers()
    const victim = before[choice % before.length]
    if (victim === undefined) return
    process.kill(victim, 'SIGKILL')
    const isReplaced = async (): Promise<boolean> => {
      const now = this.workers()
      return now.length === before.length && !now.includes(victim) && (await isReady(this.client()))
    }
    await this.#until(isReplaced, `a worker of ${this.name} is not replaced`)
  }

  /** Kills the supervisor alone, and waits until its workers have ended by themselves. */
  async killSupervisor(): Promise<void> {
    const running = this.#running
    const workers = this.workers()
    this.#mayDie = true
    running?.supervisor.kill('SIGKILL')
    await running?.gone
    await this.#until(() => Promise.resolve(!workers.some(isAlive)), `workers outlive ${this.name}`)
    running?.client[Symbol.dispose]()
  }

  async kill(): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#mayDie = true
    for (const pid of processTree(running.supervisor.pid ?? 0)) signal(pid, 'SIGKILL')
    await running.gone
    running.client[Symbol.dispose]()
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#mayDie = true
    running.client[Symbol.dispose]()
    running.supervisor.kill('SIGTERM')
    await running.gone
  }

  ask(): Promise<unknown> {
    return Promise.reject(new Error('The command takes no questions.'))
  }

  async #until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
    const end = performance.now() + patience
    while (!(await isTrue().catch(() => false))) {
      if (performance.now() > end) throw new Error(otherwise)
      await delay(50)
    }
  }
}

async function isReady(client: HttpClient): Promise<boolean> {
  return (await client.send({ path: '/readyz' })).status === 200
}

/** One that has ended and that nobody asked about yet counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return signal(pid, 0) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** @returns whether the process was there. */
function signal(pid: number, what: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(pid, what)
  } catch {
    return false
  }
}
