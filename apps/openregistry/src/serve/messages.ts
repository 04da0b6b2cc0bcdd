import type { MetricSnapshot, RenderedMetrics } from '@openregistry/server/metrics'
import type { Config } from '@openregistry/server/config'
import type { LogOptions } from '@openregistry/server/log'
import type { ExitCode } from '../exit-codes.ts'

/** What a process of the scale-out shape does. */
export type Role = 'http' | 'background'

/** What a worker needs to begin. It comes this way and not on the command line, which everybody on a machine can read. */
export interface WorkerStart {
  role: Role
  /** `http-1`, `http-2`, …, `background`: in the log. */
  name: string
  config: Config
  log: LogOptions
}

/** What the supervisor says to a worker. */
export type ToWorker =
  | { kind: 'start'; start: WorkerStart }
  /** Asks for its numbers. */
  | { kind: 'numbers'; id: number }
  /** Answers `render`. */
  | { kind: 'rendered'; id: number; rendered: RenderedMetrics }
  | { kind: 'stop' }

/** What a worker says to the supervisor. */
export type FromWorker =
  /** It listens to messages now. */
  | { kind: 'booted' }
  | { kind: 'ready'; addresses: readonly string[] }
  /** It cannot begin; the text for people. */
  | { kind: 'failed'; message: string; exitCode: ExitCode }
  /** Its numbers, asked for, or the last ones (id 0). */
  | { kind: 'numbers'; id: number; snapshot: MetricSnapshot }
  /** Asks for the numbers of all processes, as text. */
  | { kind: 'render'; id: number }
