import { RegistryError } from '@openregistry/oci'

/** Runs at most `width` pieces of work at a time, lets at most `queue` wait, and refuses the rest. */
export class BoundedWork {
  readonly #width: number
  readonly #queue: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: { width: number; queue: number }) {
    this.#width = limits.width
    this.#queue = limits.queue
  }

  /**
   * Runs `work` when it is its turn.
   * @throws RegistryError `TOOMANYREQUESTS` when too many wait already.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) {
      if (this.#waiting.length >= this.#queue) {
        throw new RegistryError('TOOMANYREQUESTS', 'Too many logins at the same time; try again in a moment.')
      }
      // Whoever ends hands its place over, so the number of those who run does not change here.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
