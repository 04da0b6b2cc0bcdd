import { RegistryError } from '@openregistry/oci'
import { HashThread } from './hash-thread.ts'

/** A bounded number of threads, started when there is work for them; a dead one is replaced. */
export class HashThreads {
  readonly #size: number
  #threads: HashThread[] = []
  #closed = false

  /** @param size threads at most, at least one. */
  constructor(size: number) {
    this.#size = size
  }

  /** The threads that have been started and live. */
  get living(): readonly HashThread[] {
    return this.#threads.filter((thread) => thread.alive)
  }

  /** The thread for a new run: the one with the fewest of them. */
  forRun(): HashThread {
    return this.#least((thread) => thread.runs)
  }

  /** The thread for a piece by itself: the one with the least to do now. */
  forLeaf(): HashThread {
    return this.#least((thread) => thread.requests)
  }

  /** An idle thread, else a new one if there may be more, else the one with the lowest load. */
  #least(load: (thread: HashThread) => number): HashThread {
    if (this.#closed) throw new RegistryError('INTERNAL', 'The hasher is closed.')
    this.#threads = this.#threads.filter((thread) => thread.alive)
    let least: HashThread | null = null
    for (const thread of this.#threads) {
      if (least === null || load(thread) < load(least)) least = thread
    }
    if (least !== null && (load(least) === 0 || this.#threads.length >= this.#size)) return least
    const started = new HashThread()
    this.#threads.push(started)
    return started
  }

  /** Ends the threads that nobody needs now; others start when they are needed. Answers whether all are ended. */
  retireIdle(): boolean {
    const idle = this.#threads.filter((thread) => thread.runs === 0 && thread.requests === 0)
    this.#threads = this.#threads.filter((thread) => !idle.includes(thread))
    for (const thread of idle) void thread.terminate()
    return this.#threads.length === 0
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}
