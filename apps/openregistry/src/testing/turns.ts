/**
 * Lets several run at once, one operation at a time: when all of them wait, `choose` says who goes on. So the same
 * choices give the same order, whatever the machine does.
 */
export class Turns {
  readonly #choose: (waiting: number) => number
  readonly #waiting: (() => void)[] = []
  #alive = 0

  /** @param choose a number from 0 to below `waiting`. */
  constructor(choose: (waiting: number) => number) {
    this.#choose = choose
  }

  /** Runs all of them to their ends. */
  async run(all: readonly (() => Promise<void>)[]): Promise<void> {
    this.#alive = all.length
    await Promise.all(all.map((one) => this.#runOne(one)))
  }

  async #runOne(one: () => Promise<void>): Promise<void> {
    try {
      await this.turn()
      await one()
    } finally {
      this.#alive--
      this.#next()
    }
  }

  /** Resolves when it is the caller's turn; at once when nobody runs. */
  async turn(): Promise<void> {
    if (this.#alive === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#next()
    await promise
  }

  #next(): void {
    if (this.#alive === 0 || this.#waiting.length < this.#alive) return
    const [go] = this.#waiting.splice(this.#choose(this.#waiting.length), 1)
    go?.()
  }
}
