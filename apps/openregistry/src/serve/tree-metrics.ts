import {
  createMetrics,
  renderMetrics,
  retireMetrics,
  type MetricSnapshot,
  type RenderedMetrics,
} from '@openregistry/server/metrics'
import type { WorkerProcess } from './worker-process.ts'

/** The numbers of a supervisor and all of its workers, the dead included. */
export class TreeMetrics {
  readonly #own = createMetrics()
  readonly #restarts = this.#own.counter('openregistry_worker_restarts_total', 'Workers that were replaced.')
  readonly #workers: ReadonlySet<WorkerProcess>
  #retired: Promise<MetricSnapshot> = Promise.resolve([])
  #rendering: Promise<RenderedMetrics> | null = null

  /** @param workers those that live; it changes as they come and go. */
  constructor(workers: ReadonlySet<WorkerProcess>) {
    this.#workers = workers
    const living = this.#own.gauge('openregistry_workers', 'Processes that work for the supervisor.')
    this.#own.watch([living], () => living.set(workers.size))
  }

  countRestart(): void {
    this.#restarts.inc()
  }

  /** Keeps what a worker counted that is gone. */
  retire({ numbers }: WorkerProcess): void {
    this.#retired = this.#retired.then((before) => retireMetrics([before, numbers]))
  }

  /** Everything, as text. Those who ask at the same time get one answer. */
  render(): Promise<RenderedMetrics> {
    return (this.#rendering ??= this.#render().finally(() => (this.#rendering = null)))
  }

  async #render(): Promise<RenderedMetrics> {
    // Both at the same moment: one that dies while it is asked is counted once.
    const dead = this.#retired
    const living = [...this.#workers].map((worker) => worker.askNumbers())
    return renderMetrics(await Promise.all([dead, this.#own.snapshot(), ...living]))
  }
}
