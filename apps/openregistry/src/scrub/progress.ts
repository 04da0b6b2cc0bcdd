import type { ScrubTotals } from '@openregistry/core'
import { formatBytes } from '../terminal/amounts.ts'

/** Milliseconds between two looks of the line. */
const refresh = 250

/** Where the line goes. */
export interface ProgressOutput {
  isTTY?: boolean
  write(text: string): unknown
}

/** One line on a terminal that says how far it is; nothing anywhere else. */
export class ScrubProgress {
  readonly #totals: ScrubTotals | null
  readonly #output: ProgressOutput
  readonly #now: () => number
  readonly #startedAt: number
  #objects = 0
  #bytes = 0
  #drawnAt = -Infinity

  constructor(totals: ScrubTotals | null, output: ProgressOutput, now = () => performance.now()) {
    this.#totals = totals
    this.#output = output
    this.#now = now
    this.#startedAt = now()
  }

  read(bytes: number): void {
    this.#bytes += bytes
    this.#draw()
  }

  verified(): void {
    this.#objects++
    this.#draw()
  }

  /** Takes the line away. */
  end(): void {
    if (this.#output.isTTY === true && this.#drawnAt > -Infinity) this.#output.write('\r\u001b[K')
  }

  #draw(): void {
    if (this.#output.isTTY !== true || this.#now() - this.#drawnAt < refresh) return
    this.#drawnAt = this.#now()
    this.#output.write(`\r\u001b[K${this.line()}`)
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

function formatLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
