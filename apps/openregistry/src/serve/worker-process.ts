import cluster, { type Worker } from 'node:cluster'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { MetricSnapshot } from '@openregistry/server/metrics'
import { ExplainedError, exitCodes } from '../exit-codes.ts'
import type { FromWorker, Role, ToWorker, WorkerStart } from './messages.ts'

/** How a process ended. */
export interface WorkerExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** Milliseconds that it lived. */
  lived: number
  /** What it said was wrong, or null. */
  reason: string | null
}

/** How long a worker may take to tell its numbers, in milliseconds; a stuck one counts with those it told before. */
const patience = 1000

const program = fileURLToPath(new URL('./worker-main.ts', import.meta.url))

/** A worker as the supervisor sees it, from its start to its end. */
export class WorkerProcess {
  readonly name: string
  readonly role: Role
  /** Where it listens, once it serves. @throws ExplainedError with its own words, when it ends before. */
  readonly ready: Promise<readonly string[]>
  readonly exited: Promise<WorkerExit>
  /** The numbers that it told last; they are all that is left when it dies. */
  numbers: MetricSnapshot = []
  readonly #worker: Worker
  readonly #answers = new Map<number, () => void>()
  #lastId = 0
  #reason: ExplainedError | null = null

  /** @param render what `/metrics` shows, for the worker that was asked. */
  constructor(start: WorkerStart, render: (worker: WorkerProcess, id: number) => void) {
    this.name = start.name
    this.role = start.role
    const startedAt = performance.now()
    this.#worker = fork(start.name)
    if (start.role === 'background') stepBack(this.#worker)
    const ready = Promise.withResolvers<readonly string[]>()
    this.ready = ready.promise
    this.#worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'booted':
          return this.send({ kind: 'start', start })
        case 'ready':
          return ready.resolve(message.addresses)
        case 'failed':
          return void (this.#reason = new ExplainedError(message.message, message.exitCode))
        case 'numbers':
          this.numbers = message.snapshot
          return this.#answers.get(message.id)?.()
        case 'render':
          return render(this, message.id)
      }
    })
    this.exited = ended(this.#worker).then(([code, signal]) => {
      const reason = this.#reason
      ready.reject(reason ?? endedEarly(start.name, code, signal))
      return { code, signal, lived: performance.now() - startedAt, reason: reason?.message ?? null }
    })
    // Whoever waits for it hears of it.
    this.ready.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  /** Its numbers now; those it told before when it does not answer in time. */
  async askNumbers(): Promise<MetricSnapshot> {
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, patience)
    this.#answers.set(id, resolve)
    this.send({ kind: 'numbers', id })
    await Promise.race([promise, this.exited])
    clearTimeout(timer)
    this.#answers.delete(id)
    return this.numbers
  }

  /** Sends a message; to one that is gone, none. */
  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, undefined, undefined, () => undefined)
  }

  /** Ends it at once. */
  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }
}

/**
 * All HTTP workers accept from one socket, which the supervisor holds: the kernel hands each connection to one of them, a
 * connection that waits is not lost with the worker that dies, and no connection passes through another process. Sockets of
 * their own (`SO_REUSEPORT`) lose those that wait; handing out from one process takes a third of the rate, and was no
 * fairer to connections that come all at once.
 */
function fork(name: string): Worker {
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: program, args: [name], serialization: 'advanced' })
  return cluster.fork()
}

/**
 * Lets requests go first where both want the processor. At once, since threads take over the priority of the one that starts
 * them.
 */
function stepBack({ process: { pid } }: Worker): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It works all the same: not every sandbox lets a process do this.
  }
}

/** Resolves when a process has ended and all that it said was read, which may come after its end. */
async function ended(worker: Worker): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  const silent = new Promise<void>((resolve) => worker.once('disconnect', resolve))
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    worker.once('exit', (code: number | null, signal: NodeJS.Signals | null) => resolve([code, signal]))
  })
  await silent
  return exit
}

function endedEarly(name: string, code: number | null, signal: string | null): ExplainedError {
  const how = signal === null ? `exit code ${code}` : signal
  return new ExplainedError(
    `openregistry: the process ${name} ended before it served (${how}).`,
    exitCodes.failure,
  )
}
