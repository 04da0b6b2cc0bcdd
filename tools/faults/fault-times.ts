import type { Span } from './model/tick.ts'
import { tick } from './model/tick.ts'

/** When something was broken: a request that overlaps with that may fail, any other one may not. */
export class FaultTimes {
  readonly #spans: Span[] = []

  /** Something breaks now. @returns what to call once it is well again. */
  begin(): () => void {
    const span = { from: tick(), until: Infinity }
    this.#spans.push(span)
    return () => void (span.until = Math.min(span.until, tick()))
  }

  /** Whether anything was broken at some moment of this time. */
  overlap({ from, until }: Span): boolean {
    return this.#spans.some((span) => span.from <= until && span.until >= from)
  }
}
