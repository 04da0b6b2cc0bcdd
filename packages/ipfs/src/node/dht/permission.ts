/** A block that peers were to be told of, and may not be told of any more. */
export class Withdrawn extends Error {
  constructor() {
    super('Nobody may be told of it any more.')
    this.name = 'Withdrawn'
  }
}

/** Whether peers may hear of a block: asked before each word about it. After the first no, nobody hears anything. */
export class Permission {
  readonly #mayTell: () => Promise<boolean>
  readonly #ended = new AbortController()

  constructor(mayTell: () => Promise<boolean>) {
    this.#mayTell = mayTell
  }

  /** Aborts when the answer was no, or there was none. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Whether the answer was no. */
  get isRefused(): boolean {
    return this.ended.reason instanceof Withdrawn
  }

  /** Returns when it may be told. @throws Withdrawn; what went wrong when that was asked. */
  async require(): Promise<void> {
    this.ended.throwIfAborted()
    try {
      if (!(await this.#mayTell())) throw new Withdrawn()
    } catch (error) {
      this.#ended.abort(error)
    }
    this.ended.throwIfAborted()
  }
}
