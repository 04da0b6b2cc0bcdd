import type { HttpRequest, HttpResponse } from '@openregistry/testkit'
import type { FaultTimes } from '../fault-times.ts'
import { tick, type Span } from '../model/tick.ts'
import { RunFailed, type Report } from '../report.ts'
import type { Deployment } from '../under-test/deployment.ts'

/** An answer, and when it was given. */
export interface Answer extends HttpResponse {
  span: Span
}

/** Milliseconds after which a registry that does not answer has lost the request; no fault lasts as long. */
const patience = 45_000

/** Answers that say that something is broken, or too much; what became of the request is open. */
const faultStatuses: ReadonlySet<number> = new Set([429, 503, 507])

/** Sends the requests of clients, each to any replica, and judges what no request may get. */
export class Caller {
  readonly #deployment: Deployment
  readonly #faultTimes: FaultTimes
  readonly #report: Report

  constructor(deployment: Deployment, faultTimes: FaultTimes, report: Report) {
    this.#deployment = deployment
    this.#faultTimes = faultTimes
    this.#report = report
  }

  /**
   * Sends a request once a replica is there that takes it.
   * @param choice a whole number that says which replica.
   * @returns the answer, or null when nobody knows what became of the request. That is only right while something is
   * broken, and a violation otherwise.
   */
  async send(request: HttpRequest, choice: number): Promise<Answer | null> {
    if (this.#report.failed) throw new RunFailed('Something is wrong already.')
    const replica = await this.#deployment.replica(choice)
    this.#report.counts.requests++
    const from = tick()
    const described = `${replica.name} ${request.method ?? 'GET'} ${request.path}`
    try {
      const response = await replica.client().send({ ...request, signal: AbortSignal.timeout(patience) })
      const span = { from, until: tick() }
      this.#report.log(`${described}: ${response.status}`)
      if (response.status < 500 && response.status !== 429) return { ...response, span }
      return this.#unsure(span, `${described}: ${response.status} ${response.text()}`, response.status)
    } catch (error) {
      const span = { from, until: tick() }
      this.#report.log(`${described}: ${String(error)}`)
      if (span.until - span.from >= patience) this.#report.violation(`${described}: no answer at all`)
      return this.#unsure(span, `${described}: ${String(error)}`, null)
    }
  }

  /** Sends a part of a request's body, then breaks the connection, as a client that dies. */
  async interrupt(
    request: Omit<HttpRequest, 'body' | 'framing'>,
    part: Uint8Array,
    choice: number,
  ): Promise<void> {
    const replica = await this.#deployment.replica(choice)
    this.#report.log(`${replica.name} ${request.method} ${request.path}: breaks off after ${part.length}`)
    const open = replica.client().begin(request)
    await Promise.race([open.write(part), open.response]).catch(() => undefined)
    open.abort()
    await open.response.catch(() => undefined)
  }

  #unsure(span: Span, text: string, status: number | null): null {
    this.#report.counts.unsure++
    // A fault around the registry is no fault of the registry: 500 is never right.
    const mayHappen = status === null || faultStatuses.has(status)
    if (!mayHappen) this.#report.violation(text)
    else if (!this.#faultTimes.overlap(span)) this.#report.violation(`without a fault: ${text}`)
    return null
  }
}
