import type { Milliseconds } from '../ports/metadata-store.ts'

/** What a run is given. */
export interface JobRun {
  payload: string
  /**
   * Aborts when the process stops or the lease is lost: another process may begin the same job soon. A run that sees it
   * ends as soon as it can, wherever it is.
   */
  signal: AbortSignal
}

/** Numbers and words for the log about what a run did; null when there was nothing to do. */
export type JobReport = Readonly<Record<string, number | string>> | null

/**
 * A kind of job, registered with the runner of each process that may do it. A run can be killed anywhere and begun again
 * elsewhere, so it has to be idempotent.
 */
export interface JobKind {
  /** In the queue, and as the label of metrics: `registry.sweep`. */
  readonly name: string
  /** The log's event for a run that did something, for example `gc_sweep`; with `_failed` for one that failed. */
  readonly event: string
  /** From the end of one run to the next; once in the whole cluster. Null: only when somebody asks for it. */
  readonly period: Milliseconds | null
  /** How often it is tried before it is given up; a periodic one begins anew with its next period. */
  readonly attempts: number
  run(run: JobRun): Promise<JobReport>
}
