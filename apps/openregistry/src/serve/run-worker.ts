import cluster from 'node:cluster'
import { flushCompileCache } from 'node:module'
import { renderMetrics, type RenderedMetrics } from '@openregistry/server/metrics'
import { openLog, type Logger } from '@openregistry/server/log'
import { startBackground, startHttpWorker, type RunningProcess } from '../composition.ts'
import { explain } from '../explain-error.ts'
import { logFaults } from './log-faults.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import { stopServing } from './stop-serving.ts'
import { stopSignals } from './stop-signals.ts'

/** How long the supervisor may take to add up the numbers of all processes, in milliseconds. */
const patience = 3000

/**
 * The life of a worker: begins when the supervisor says how, ends when it says so, when a signal does, or when the
 * supervisor is gone; always by finishing what is in flight.
 */
export async function runWorker(): Promise<void> {
  const supervisor = new SupervisorLink()
  // Signals of a terminal or of systemd reach the whole group. Whatever asks first begins the one stop there is.
  using signals = stopSignals()
  const start = await supervisor.start
  const log = (await openLog(start.log)).child({ worker: start.name })
  logFaults(log)
  const running = await begin(start, log, supervisor)
  if (running === null) return
  supervisor.send({ kind: 'ready', addresses: running.addresses })
  flushCompileCache()
  supervisor.onNumbers = () => running.metrics.snapshot()
  const reason = await Promise.race([signals.first, supervisor.stop])
  if (reason === 'gone')
    log.warn('supervisor_gone', { message: 'This process finishes what is in flight and ends.' })
  await stopServing(running, start.config)
  supervisor.send({ kind: 'numbers', id: 0, snapshot: await running.metrics.snapshot() })
  await log.flush()
  supervisor.close()
}

/** Opens what the role needs; null when it cannot, which the supervisor is told. */
async function begin(
  { role, config }: WorkerStart,
  log: Logger,
  supervisor: SupervisorLink,
): Promise<RunningProcess | null> {
  try {
    if (role === 'background') return await startBackground(config, log)
    const running: { metrics?: RunningProcess['metrics'] } = {}
    // While the supervisor does not answer, the numbers of this process are better than none.
    const render = async (): Promise<RenderedMetrics> =>
      (await supervisor.render()) ?? renderMetrics([(await running.metrics?.snapshot()) ?? []])
    const worker = await startHttpWorker(config, log, render)
    running.metrics = worker.metrics
    return worker
  } catch (error) {
    const { message, exitCode } = explain(error)
    process.exitCode = exitCode
    supervisor.send({ kind: 'failed', message, exitCode })
    await log.flush()
    supervisor.close()
    return null
  }
}

/** The way to the supervisor. */
class SupervisorLink {
  readonly start: Promise<WorkerStart>
  /** Resolves when the supervisor wants this process to stop, or is gone. */
  readonly stop: Promise<'asked' | 'gone'>
  onNumbers: (() => Promise<Extract<FromWorker, { kind: 'numbers' }>['snapshot']>) | null = null
  readonly #renders = new Map<number, (rendered: RenderedMetrics | null) => void>()
  #lastId = 0

  constructor() {
    // Else Node ends this process at once when the supervisor is gone.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
    const start = Promise.withResolvers<WorkerStart>()
    const stop = Promise.withResolvers<'asked' | 'gone'>()
    this.start = start.promise
    this.stop = stop.promise
    process.on('message', (message: ToWorker) => {
      switch (message.kind) {
        case 'start':
          return start.resolve(message.start)
        case 'stop':
          return stop.resolve('asked')
        case 'numbers':
          return void this.#tellNumbers(message.id)
        case 'rendered':
          return this.#renders.get(message.id)?.(message.rendered)
      }
    })
    process.once('disconnect', () => {
      stop.resolve('gone')
      for (const resolve of this.#renders.values()) resolve(null)
    })
    this.send({ kind: 'booted' })
  }

  /** The numbers of all processes, or null when they do not come in time. */
  async render(): Promise<RenderedMetrics | null> {
    if (!process.connected) return null
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<RenderedMetrics | null>()
    const timer = setTimeout(() => resolve(null), patience)
    this.#renders.set(id, resolve)
    this.send({ kind: 'render', id })
    const rendered = await promise
    clearTimeout(timer)
    this.#renders.delete(id)
    return rendered
  }

  send(message: FromWorker): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
  }

  /** Lets this process end. What was sent arrives. */
  close(): void {
    if (process.connected) process.disconnect?.()
  }

  async #tellNumbers(id: number): Promise<void> {
    const snapshot = await this.onNumbers?.()
    if (snapshot !== undefined) this.send({ kind: 'numbers', id, snapshot })
  }
}
