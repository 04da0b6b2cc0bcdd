/** A row as the engine gives it. */
export type Row = Readonly<Record<string, unknown>>

/** The database under the registry, for the harness alone: to look at it, and to let time pass. */
export interface Database extends AsyncDisposable {
  /** What the configuration of a replica says about it. */
  readonly env: Readonly<Record<string, string>>
  /** The rows of a query in plain SQL, while no replica runs or beside them. */
  rows(query: string): Promise<Row[]>
  /** Runs a statement that changes something. */
  run(statement: string): Promise<void>
  /** Rows that lead nowhere, by the engine's own check; empty when all is well. */
  dangling(): Promise<string[]>
}
