import type { Volume } from '@openregistry/testkit'

/** A row as the engine gives it. */
export type Row = Readonly<Record<string, unknown>>

/** A database server that can be troubled. */
export interface DatabaseServer {
  /** Breaks every connection of the registry. @returns how many. */
  cutConnections(): number
  stop(how: 'fast' | 'immediate'): Promise<void>
  start(): Promise<void>
  /** Waits until it takes connections again, after a crash; starts it if it has ended. */
  recover(): Promise<void>
  /** Makes it write until a full disk makes it crash. */
  exhaustLog(): Promise<void>
}

/** The database under the registry, for the harness alone: to look at it, and to let time pass. */
export interface Database extends AsyncDisposable {
  /** What the configuration of a replica says about it. */
  readonly env: Readonly<Record<string, string>>
  /** The file system that it alone lies on, if there is such. */
  readonly disk: Volume | null
  /** Its server, if it has one of its own. */
  readonly server?: DatabaseServer
  /** The rows of a query in plain SQL, while no replica runs or beside them. */
  rows(query: string): Promise<Row[]>
  /** Runs a statement that changes something. */
  run(statement: string): Promise<void>
  /** Rows that lead nowhere, by the engine's own check; empty when all is well. */
  dangling(): Promise<string[]>
  /** Copies what is in it to a folder, for whoever looks into a failure. */
  keep(folder: string): Promise<void>
  /** Resolves when nothing is under way any more that a dead process asked for. */
  quiet(): Promise<void>
}
