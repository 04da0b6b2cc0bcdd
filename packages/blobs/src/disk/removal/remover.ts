import { Worker } from 'node:worker_threads'
import type { RemovalAnswer, RemovalFault, RemovalRequest } from './messages.ts'

/** After so many milliseconds without work the thread ends. */
const idleAtMost = 10_000

const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 }

interface Waiting {
  path: string
  resolve(): void
  reject(error: Error): void
}

/**
 * Removes names of files on a thread of its own, those that are asked for in the same turn of the event loop together. The
 * collector removes a thousand and more in a second: in the threads that the runtime keeps for files they would be in the way
 * of those who push, and to hand over each one takes longer than to remove it. The thread is there while it is needed.
 */
export class Remover {
  readonly #startThread: () => Worker
  readonly #sent = new Map<number, readonly Waiting[]>()
  #gathered: Waiting[] = []
  #thread: Worker | null = null
  #idle: NodeJS.Timeout | null = null
  #lastId = 0

  /** @param startThread replaced by tests that need the thread. */
  constructor(startThread: () => Worker = startRemovalThread) {
    this.#startThread = startThread
  }

  /** Removes a file's name. @throws the error of the system, with its `code`; `EIO` when the thread died over it. */
  unlink(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gathered.push({ path, resolve, reject }) === 1) setImmediate(() => this.#send())
    })
  }

  #send(): void {
    const batch = this.#gathered
    this.#gathered = []
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = null
    const thread = (this.#thread ??= this.#start())
    const id = ++this.#lastId
    this.#sent.set(id, batch)
    thread.ref()
    thread.postMessage({ id, paths: batch.map(({ path }) => path) } satisfies RemovalRequest)
  }

  #start(): Worker {
    const thread = this.#startThread()
    thread.on('message', ({ id, faults }: RemovalAnswer) => {
      const batch = this.#sent.get(id) ?? []
      this.#sent.delete(id)
      if (this.#sent.size === 0) this.#rest(thread)
      for (const [index, { path, resolve, reject }] of batch.entries()) {
        const fault = faults[index] ?? null
        if (fault === null) resolve()
        else reject(systemError(path, fault))
      }
    })
    let cause: unknown
    thread.on('error', (error) => (cause = error))
    thread.on('exit', () => this.#lose(thread, cause))
    return thread
  }

  /** Nothing is under way: the process may end, and the thread will. */
  #rest(thread: Worker): void {
    thread.unref()
    this.#idle = setTimeout(() => {
      if (this.#thread === thread) this.#thread = null
      void thread.terminate()
    }, idleAtMost).unref()
  }

  #lose(thread: Worker, cause: unknown): void {
    // One that rested too long was replaced before it ended.
    if (this.#thread !== thread) return
    this.#thread = null
    const batches = [...this.#sent.values()]
    this.#sent.clear()
    const fault = { code: 'EIO', message: 'The thread that removes files has died.' }
    for (const { path, reject } of batches.flat()) reject(systemError(path, fault, cause))
  }
}

function startRemovalThread(): Worker {
  return new Worker(new URL('./thread-main.ts', import.meta.url), {
    name: 'removal',
    execArgv: [],
    env: {},
    resourceLimits,
  })
}

function systemError(path: string, { code, message }: RemovalFault, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? {} : { cause })
  return Object.assign(error, { code, path, syscall: 'unlink' })
}
