/** Milliseconds between two looks of the line. */
const refresh = 250

/** Where the line goes. */
export interface ProgressOutput {
  isTTY?: boolean
  write(text: string): unknown
}

/** One line on a terminal that says how far something is, drawn now and then; nothing anywhere else. */
export class ProgressLine {
  readonly #output: ProgressOutput
  readonly #now: () => number
  #drawnAt = -Infinity

  constructor(output: ProgressOutput, now = () => performance.now()) {
    this.#output = output
    this.#now = now
  }

  /** @param text what the line says now; asked for when it is time to draw it. */
  draw(text: () => string): void {
    if (this.#output.isTTY !== true || this.#now() - this.#drawnAt < refresh) return
    this.#drawnAt = this.#now()
    this.#output.write(`\r\u001b[K${text()}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#drawnAt > -Infinity) this.#output.write('\r\u001b[K')
  }
}

/** A time that is left, for people: `40 s`, `25 min`, `4.2 h`. */
export function formatLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
