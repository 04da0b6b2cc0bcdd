import type { Config } from '@openregistry/server/config'
import type { Logger, LogOptions } from '@openregistry/server/log'
import { workerCount } from '../worker-count.ts'
import type { Role } from './messages.ts'
import { nextRestart, type Restart } from './restart-delay.ts'
import { TreeMetrics } from './tree-metrics.ts'
import { WorkerProcess, type WorkerExit } from './worker-process.ts'

/** Beyond what a stop may take by the configuration, in milliseconds; then what is left is killed. */
const margin = 10_000

/** A registry of many processes, as whoever started it sees it. */
export interface RunningTree {
  readonly addresses: readonly string[]
  /** Lets all of them finish what is in flight. */
  stop(): Promise<void>
  /** Ends all of them at once. */
  kill(): void
}

/** One place for a worker: whoever dies in it is replaced. */
interface Slot {
  name: string
  role: Role
  /** The last time somebody ended here. */
  restart: Restart | null
}

/**
 * The scale-out shape: HTTP workers on one port and one process for the background, kept alive. Resolves when all of them
 * serve.
 * @throws ExplainedError with the text of a worker that cannot begin; none of them is left then.
 */
export async function startSupervisor(
  config: Config,
  log: Logger,
  logOptions: LogOptions,
): Promise<RunningTree> {
  const supervisor = new Supervisor(config, log, logOptions)
  const addresses = await supervisor.start()
  return { addresses, stop: () => supervisor.stop(), kill: () => supervisor.kill() }
}

class Supervisor {
  readonly #config: Config
  readonly #log: Logger
  readonly #logOptions: LogOptions
  readonly #workers = new Set<WorkerProcess>()
  readonly #metrics = new TreeMetrics(this.#workers)
  readonly #waiting = new Set<NodeJS.Timeout>()
  /** What HTTP workers are told to listen on; those that live share the socket that belongs to it. */
  #port: number
  #addresses: readonly string[] = []
  #serving = false
  #stopping = false

  constructor(config: Config, log: Logger, logOptions: LogOptions) {
    this.#config = config
    this.#port = config.http.port
    this.#log = log
    this.#logOptions = logOptions
  }

  async start(): Promise<readonly string[]> {
    const workers = slots(this.#config).map((slot) => this.#startIn(slot))
    try {
      const [addresses = []] = await Promise.all(workers.map(({ ready }) => ready))
      this.#addresses = addresses
      this.#serving = true
      return addresses
    } catch (error) {
      this.#stopping = true
      this.kill()
      await Promise.all(workers.map(({ exited }) => exited))
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const timer of this.#waiting) clearTimeout(timer)
    const { shutdown_delay: delay, shutdown_grace: grace } = this.#config.limits
    const late = setTimeout(
      () => {
        this.#log.warn('workers_killed', {
          message: 'They did not stop in time.',
          workers: this.#workers.size,
        })
        this.kill()
      },
      delay + grace + margin,
    )
    for (const worker of this.#workers) worker.send({ kind: 'stop' })
    await Promise.all([...this.#workers].map(({ exited }) => exited))
    clearTimeout(late)
  }

  kill(): void {
    for (const worker of this.#workers) worker.kill()
  }

  #startIn(slot: Slot): WorkerProcess {
    const config = { ...this.#config, http: { ...this.#config.http, port: this.#port } }
    const start = { role: slot.role, name: slot.name, config, log: this.#logOptions }
    const worker = new WorkerProcess(start, (asking, id) => {
      void this.#metrics.render().then((rendered) => asking.send({ kind: 'rendered', id, rendered }))
    })
    this.#workers.add(worker)
    void worker.exited.then((exit) => this.#onExit(slot, worker, exit))
    return worker
  }

  #onExit(slot: Slot, worker: WorkerProcess, exit: WorkerExit): void {
    this.#workers.delete(worker)
    this.#metrics.retire(worker)
    if (this.#stopping || !this.#serving) return
    slot.restart = nextRestart(slot.restart, exit.lived)
    this.#report(slot.restart, worker, exit)
    const timer = setTimeout(() => {
      this.#waiting.delete(timer)
      this.#replace(slot)
    }, slot.restart.delay)
    this.#waiting.add(timer)
  }

  #replace(slot: Slot): void {
    this.#metrics.countRestart()
    this.#keepPort()
    const worker = this.#startIn(slot)
    worker.ready.then(
      () => this.#log.info('worker_start', { worker: worker.name, pid: worker.pid }),
      // Its end is said where every end is.
      () => undefined,
    )
  }

  /** The socket goes with the last worker that has it. Where the system chose the port, the next one asks for the same. */
  #keepPort(): void {
    const [address] = this.#addresses
    if (address === undefined || [...this.#workers].some(({ role }) => role === 'http')) return
    this.#port = Number(new URL(address).port || this.#port)
  }

  #report({ count, delay }: Restart, { name, pid }: WorkerProcess, exit: WorkerExit): void {
    const fields = {
      worker: name,
      pid,
      exit_code: exit.code,
      signal: exit.signal,
      lived_ms: Math.round(exit.lived),
      restart_ms: delay,
      ...(exit.reason === null ? {} : { reason: exit.reason }),
    }
    if (count === 1) return this.#log[exit.code === 0 ? 'info' : 'warn']('worker_exit', fields)
    const message = `It ended ${count} times in a row; it is tried again, more and more rarely.`
    this.#log.error('worker_exit', { ...fields, count, message })
  }
}

/** Who works in the scale-out shape. */
function slots(config: Config): Slot[] {
  const workers = Array.from({ length: workerCount(config) }, (_, index): Slot => {
    return { name: `http-${index + 1}`, role: 'http', restart: null }
  })
  return [...workers, { name: 'background', role: 'background', restart: null }]
}
