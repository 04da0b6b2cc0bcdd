import type { Register, Write } from './register.ts'
import { tick } from './tick.ts'

/**
 * One request that changes several values of the model, together or not at all. It is told what the answer was; without
 * an answer it stays open, and each value may be the old or the new one.
 */
export class Change {
  readonly start = tick()
  readonly #undo: (() => void)[] = []
  readonly #confirm: ((at: number) => void)[] = []
  readonly #writes: { end: number }[] = []

  /** The value that this sets, if it happens; with `onlyFrom`, only if it finds that. */
  sets<V>(register: Register<V>, value: V, onlyFrom?: V): this {
    const condition = onlyFrom === undefined ? {} : { onlyFrom }
    const write: Write<V> = register.begin(value, { ...condition, start: this.start })
    this.#writes.push(write)
    this.#undo.push(() => register.withdraw(write))
    this.#confirm.push((at) => register.acknowledge(write, at))
    return this
  }

  /** What else follows when it was acknowledged at that time. */
  onAcknowledged(confirm: (at: number) => void): this {
    this.#confirm.push(confirm)
    return this
  }

  /** What else follows when it was refused. */
  onRefused(undo: () => void): this {
    this.#undo.push(undo)
    return this
  }

  /** It was answered with success. */
  acknowledged(at: number): void {
    for (const confirm of this.#confirm) confirm(at)
  }

  /** It is over, whether it happened or not. */
  over(at: number): void {
    for (const write of this.#writes) write.end = Math.min(write.end, at)
  }

  /** It was answered with a refusal: nothing of it happened. */
  refused(): void {
    for (const undo of this.#undo) undo()
  }
}
