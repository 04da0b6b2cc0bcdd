import { appendFileSync } from 'node:fs'
import { tick } from './model/tick.ts'

/** What a run counts. */
export interface Counts {
  /** Requests that were sent. */
  requests: number
  /** Changes that were answered with success: what must never be lost, or come back. */
  acknowledged: number
  /** Requests that got no answer, or one that leaves open what happened. */
  unsure: number
  faults: number
}

/** The run has failed already; whoever waits for something need not wait any more. */
export class RunFailed extends Error {}

/** Collects what a run did and what it found, and writes every line to its log as it happens. */
export class Report {
  readonly counts: Counts = { requests: 0, acknowledged: 0, unsure: 0, faults: 0 }
  readonly violations: string[] = []
  /** How often each kind of fault came. */
  readonly faultKinds = new Map<string, number>()
  /** Resolves when the first violation is found. */
  readonly failure: Promise<void>
  readonly #fail: () => void
  readonly #file: string
  readonly #start = tick()

  /** @param file of the log; lines are appended. */
  constructor(file: string) {
    this.#file = file
    const { promise, resolve } = Promise.withResolvers<void>()
    this.failure = promise
    this.#fail = resolve
  }

  /** Something must not be. The run ends soon after the first. */
  violation(text: string): void {
    this.violations.push(text)
    this.log(`VIOLATION ${text}`)
    this.#fail()
  }

  get failed(): boolean {
    return this.violations.length > 0
  }

  fault(kind: string, text = ''): void {
    this.counts.faults++
    this.faultKinds.set(kind, (this.faultKinds.get(kind) ?? 0) + 1)
    this.log(`FAULT ${kind} ${text}`)
  }

  /** Times are those of the model's histories. */
  log(line: string): void {
    const now = tick()
    appendFileSync(this.#file, `${now.toFixed(3)} (${(now - this.#start).toFixed(0)} ms) ${line}\n`)
  }
}
