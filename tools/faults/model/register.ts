import { tick, type Span } from './tick.ts'

/** A change of one value that was asked for. It took effect at one moment between `start` and `end`, or never. */
export interface Write<V> {
  readonly value: V
  /** The change does nothing unless this is the value; undefined: whatever it is. */
  readonly onlyFrom: V | undefined
  readonly start: number
  /** Infinity while nobody knows whether it is over. */
  end: number
  /** Whether it took effect for sure. */
  certain: boolean
}

/**
 * One value that many clients change at the same time, and what it may be. A change that was answered lies somewhere
 * between request and answer; one whose connection broke may have happened or not, until a read decides.
 *
 * A read may see a write unless another one that certainly happened lies wholly between the two.
 */
export class Register<V> {
  #writes: Write<V>[]

  constructor(initial: V) {
    this.#writes = [{ value: initial, onlyFrom: undefined, start: 0, end: 0, certain: true }]
  }

  /** Notes a change that is about to be asked for, or was at `start`. */
  begin(value: V, { onlyFrom, start = tick() }: { onlyFrom?: V; start?: number } = {}): Write<V> {
    const write: Write<V> = { value, onlyFrom, start, end: Infinity, certain: false }
    this.#writes.push(write)
    return write
  }

  /** The change was acknowledged. */
  acknowledge(write: Write<V>, at: number): void {
    write.certain = true
    write.end = Math.min(write.end, at)
  }

  /** The change certainly never happened. */
  withdraw(write: Write<V>): void {
    this.#writes = this.#writes.filter((other) => other !== write)
  }

  /** Nothing is under way any more: what has not happened by now never will. */
  settle(): void {
    const now = tick()
    for (const write of this.#writes) write.end = Math.min(write.end, now)
  }

  /** From now on it is this, since a read saw it while nothing was under way. */
  pin(value: V): void {
    const now = tick()
    this.#writes = [{ value, onlyFrom: undefined, start: now, end: now, certain: true }]
  }

  /** What a read in this time may see. */
  possible(span: Span): Set<V> {
    return new Set(this.#visible(span).map(({ value }) => value))
  }

  /** Whether a read in this time can see nothing but this. */
  surely(value: V, span: Span): boolean {
    const possible = this.possible(span)
    return possible.size === 1 && possible.has(value)
  }

  /** Whether something sets this, or may, at some moment of this time. */
  mayTurn(value: V, { from, until }: Span): boolean {
    return this.#writes.some((write) => write.value === value && write.start <= until && write.end >= from)
  }

  /**
   * A read saw this. If one write alone explains it, that write has happened.
   * @returns whether it may be.
   */
  observe(value: V, span: Span): boolean {
    const explaining = this.#visible(span).filter((write) => write.value === value)
    const [only] = explaining
    if (only !== undefined && explaining.length === 1) this.acknowledge(only, span.until)
    return only !== undefined
  }

  /** The writes that still count, for a person. */
  history(): string {
    const moment = (time: number): string => (time === Infinity ? '?' : time.toFixed(3))
    return this.#writes
      .map(({ value, start, end, certain }) =>
        `${String(value)} ${moment(start)}–${moment(end)}${certain ? '' : ' (maybe)'}`.trim(),
      )
      .join('; ')
  }

  #visible(span: Span): Write<V>[] {
    return this.#writes.filter(
      (write) =>
        write.start <= span.until && !this.#isOverwritten(write, span.from) && this.#isApplicable(write),
    )
  }

  /** Whether a change that began after this one was over has certainly happened before `by`. */
  #isOverwritten(write: Write<V>, by: number): boolean {
    return this.#writes.some(
      (later) =>
        later.certain &&
        later.start > write.end &&
        later.end < by &&
        (later.onlyFrom === undefined || later.onlyFrom === write.value),
    )
  }

  /** Whether a conditional change may have found what it looks for. */
  #isApplicable({ onlyFrom, start, end }: Write<V>): boolean {
    if (onlyFrom === undefined) return true
    return this.#writes.some(
      (write) => write.value === onlyFrom && write.start <= end && !this.#isOverwritten(write, start),
    )
  }
}
