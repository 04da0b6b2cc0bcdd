import type { ScrubTotals } from '@openregistry/core'
import { formatBytes } from '../terminal/amounts.ts'
import { formatLeft, ProgressLine, type ProgressOutput } from '../terminal/progress-line.ts'

/** One line on a terminal that says how far it is; nothing anywhere else. */
export class ScrubProgress {
  readonly #totals: ScrubTotals | null
  readonly #line: ProgressLine
  readonly #now: () => number
  readonly #startedAt: number
  #objects = 0
  #bytes = 0

  constructor(totals: ScrubTotals | null, output: ProgressOutput, now = () => performance.now()) {
    this.#totals = totals
    this.#line = new ProgressLine(output, now)
    this.#now = now
    this.#startedAt = now()
  }

  read(bytes: number): void {
    this.#bytes += bytes
    this.#line.draw(() => this.line())
  }

  verified(): void {
    this.#objects++
    this.#line.draw(() => this.line())
  }

  /** Takes the line away. */
  end(): void {
    this.#line.end()
  }

  /** What the line says now. */
  line(): string {
    const seconds = (this.#now() - this.#startedAt) / 1000
    const rate = seconds > 0 ? this.#bytes / seconds : 0
    const totals = this.#totals
    const objects = totals === null ? `${this.#objects}` : `${this.#objects} of ${totals.objects}`
    const bytes =
      totals === null
        ? formatBytes(this.#bytes)
        : `${formatBytes(this.#bytes)} of ${formatBytes(totals.bytes)}`
    const parts = [`${objects} objects`, bytes, `${formatBytes(rate)}/s`]
    const left = totals === null ? null : (totals.bytes - this.#bytes) / rate
    if (left !== null && Number.isFinite(left) && left > 0) parts.push(`${formatLeft(left)} left`)
    return parts.join(', ')
  }
}
