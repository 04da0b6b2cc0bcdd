import { Register } from './register.ts'
import type { Span } from './tick.ts'

/** Milliseconds by which the database's clock, which counts whole ones, may be ahead of ours. */
export const slack = 5

/** Whether a repository lets a blob be read, and until when collection must leave it alone. */
export class LinkModel {
  readonly readable = new Register(false)
  /** Before this no collection may take it, even if no manifest needs it. */
  #safeUntil = -Infinity

  /** The registry promised at `from` or later that it stays for `lease`. */
  promise(from: number, lease: number): void {
    this.#safeUntil = Math.max(this.#safeUntil, from + lease - slack)
  }

  /**
   * A manifest that needed it goes, at `from` or later: a lease it had ended with that manifest's push.
   * @param sure whether that manifest was there.
   */
  release(from: number, grace: number, sure: boolean): void {
    const until = from + grace - slack
    this.#safeUntil = sure ? until : Math.min(this.#safeUntil, until)
  }

  /** Whether it may be here. */
  mayBeHere(span: Span): boolean {
    return this.readable.possible(span).has(true)
  }

  /** Whether it may be gone. */
  mayBeGone(span: Span, needed: boolean): boolean {
    return this.readable.possible(span).has(false) || this.#mayBeCollected(span, needed)
  }

  /**
   * A read saw it, or saw that it is gone.
   * @param needed whether a manifest needs it for sure.
   * @returns whether that may be.
   */
  observe(here: boolean, span: Span, needed: boolean): boolean {
    if (this.readable.observe(here, span)) return true
    if (here || !this.#mayBeCollected(span, needed)) return false
    const collected = this.readable.begin(false, { start: Math.min(span.from, this.#safeUntil) })
    this.readable.acknowledge(collected, span.until)
    return true
  }

  #mayBeCollected({ until }: Span, needed: boolean): boolean {
    return !needed && until > this.#safeUntil
  }
}
