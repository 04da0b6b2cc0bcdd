import { Worker } from 'node:worker_threads'
import { RegistryError } from '@openregistry/oci'
import type { OperationInput, OperationName, OperationResult } from '../operations.ts'
import {
  readError,
  type WriterRequest,
  type WriterResult,
  type WriterSettings,
  type WriterStop,
} from './messages.ts'
import { ownBytes, weightOf } from '../own-bytes.ts'

/** Steps that may wait at once; as many requests are being answered, and more would only wait longer. */
const waitingAtMost = 16_384

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** A thread with the steps that it was given and has not answered. */
interface Running {
  worker: Worker
  waiting: Map<number, Waiting>
  /** Resolves when the thread has ended, however. */
  ended: Promise<void>
}

/**
 * The way to the writer thread. A thread that dies takes the steps it was given with it (whether they happened is not
 * known); the next step starts another one.
 */
export class Writer implements AsyncDisposable {
  readonly #settings: WriterSettings
  readonly #startThread: (settings: WriterSettings) => Worker
  #running: Running | null = null
  #lastId = 0
  #closed = false
  /** Called before callers hear what became of their steps. */
  beforeAnswers: () => void = () => undefined

  /** @param startThread replaced by tests that need a thread to die. */
  constructor(
    settings: WriterSettings,
    startThread: (settings: WriterSettings) => Worker = startWriterThread,
  ) {
    this.#settings = settings
    this.#startThread = startThread
  }

  /**
   * Runs an operation in the next group.
   * @returns once what it did is durable.
   */
  run<N extends OperationName>(operation: N, ...input: OperationInput<N>): Promise<OperationResult<N>> {
    if (this.#closed) return Promise.reject(unavailable('The database was closed.'))
    const { worker, waiting } = (this.#running ??= this.#start())
    if (waiting.size >= waitingAtMost)
      return Promise.reject(unavailable('Too many steps wait for the database.'))
    return new Promise((resolve, reject) => {
      const transfer: ArrayBuffer[] = []
      const id = ++this.#lastId
      const request: WriterRequest = {
        id,
        operation,
        input: ownBytes(input, transfer) as readonly unknown[],
        weight: weightOf(transfer),
      }
      worker.postMessage(request, transfer)
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
    })
  }

  #start(): Running {
    const worker = this.#startThread(this.#settings)
    const waiting = new Map<number, Waiting>()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    let cause: unknown = 'its thread ended'
    worker.on('message', (results: readonly WriterResult[]) => {
      this.beforeAnswers()
      settle(waiting, results)
    })
    worker.on('error', (error) => (cause = error))
    worker.on('exit', () => {
      if (this.#running?.worker === worker) this.#running = null
      this.beforeAnswers()
      for (const { reject } of waiting.values()) reject(unavailable('The database stopped working.', cause))
      waiting.clear()
      resolve()
    })
    return { worker, waiting, ended }
  }

  /** Waits for the steps that were given, then ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running
    if (!this.#closed) running?.worker.postMessage({ stop: true } satisfies WriterStop)
    this.#closed = true
    await running?.ended
  }
}

/** Starts the thread of `writer-thread.ts`. */
export function startWriterThread(settings: WriterSettings): Worker {
  return new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: settings })
}

function settle(waiting: Map<number, Waiting>, results: readonly WriterResult[]): void {
  for (const result of results) {
    const caller = waiting.get(result.id)
    if (caller === undefined) continue
    waiting.delete(result.id)
    if ('error' in result) caller.reject(readError(result.error))
    else caller.resolve(result.value)
  }
}

function unavailable(message: string, cause?: unknown): RegistryError {
  return new RegistryError('METADATA_UNAVAILABLE', message, cause === undefined ? {} : { cause })
}
