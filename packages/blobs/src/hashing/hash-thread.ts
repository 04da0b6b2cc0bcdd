import { Worker } from 'node:worker_threads'
import { RegistryError } from '@openregistry/oci'
import type { Answered, Asked, HashReply, HashRequest } from './messages.ts'

interface Waiting {
  resolve(reply: HashReply): void
  reject(error: RegistryError): void
}

/** Small heaps: a thread keeps a few digest states, the bytes lie outside of its heap. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 }

/** One thread that hashes. It keeps the process alive only while somebody waits for it. */
export class HashThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #runs = 0
  #failure: RegistryError | null = null

  constructor() {
    // Nothing of the process's own switches and secrets is of use there.
    this.#worker = new Worker(new URL('./thread-main.ts', import.meta.url), {
      name: 'hash',
      execArgv: [],
      env: {},
      resourceLimits,
    })
    this.#worker.unref()
    this.#worker.on('message', (answered: Answered) => this.#settle(answered))
    this.#worker.on('messageerror', (error) => this.#fail(error))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(`the thread ended with code ${code}`))
  }

  /** Requests that are not answered yet. */
  get requests(): number {
    return this.#waiting.size
  }

  /** Runs whose digests live here. */
  get runs(): number {
    return this.#runs
  }

  /** Counts a run in. */
  addRun(): void {
    this.#runs += 1
  }

  /** Counts a run out. */
  removeRun(): void {
    this.#runs -= 1
  }

  /** Whether the thread can still be asked. */
  get alive(): boolean {
    return this.#failure === null
  }

  /**
   * Asks the thread; it answers in the order of the requests.
   * @throws RegistryError `INTERNAL` when the thread has died or refuses the request.
   */
  ask(request: HashRequest): Promise<HashReply> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const id = ++this.#lastId
    if (this.#waiting.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, request } satisfies Asked)
    })
  }

  /** Ends the thread; whoever waits for it gets `INTERNAL`. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle({ id, reply, error }: Answered): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (error === null) waiting?.resolve(reply)
    else waiting?.reject(new RegistryError('INTERNAL', 'Hashing failed.', { cause: error }))
  }

  #fail(cause: unknown): void {
    this.#failure ??= new RegistryError('INTERNAL', 'A hash thread has died.', { cause })
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure)
    this.#waiting.clear()
    this.#worker.unref()
  }
}
