import type { HttpClient } from '@openregistry/testkit'
import type { Report } from '../report.ts'
import type { Request } from './messages.ts'

/** A registry process as its clients see it. */
export interface Serving {
  readonly name: string
  /** A client with connections to the process as it runs now. */
  client(): HttpClient
}

/** How a process is started. */
export interface ProcessOptions {
  name: string
  env: Readonly<Record<string, string>>
  cwd: string
  /** The file that takes its log. */
  log: string
  report: Report
}

/** A registry, alone or with its workers, that can be killed and started again. */
export interface RegistryProcess extends Serving {
  readonly isUp: boolean
  /** The most memory that it had, in bytes. */
  readonly peakMemory: number
  /** Resolves when it is gone, also when it is not there. */
  readonly gone: Promise<void>
  /** Starts it and waits until it serves. @throws Error when it ends before. */
  start(): Promise<void>
  /** Ends it, and all that it started, without any chance to tidy up. */
  kill(): Promise<void>
  /** Ends it politely. */
  stop(): Promise<void>
  /** Asks it for something. @throws Error what it answers, that it is gone, or that it takes no questions. */
  ask(request: Request): Promise<unknown>
}
