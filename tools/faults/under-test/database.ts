/** A row as the engine gives it. */
export type Row = Readonly<Record<string, unknown>>

/** The database under the registry, for the harness alone: to look at it, and to let time pass. */
export interface Database extends AsyncDisposable {
  /** What the configuration of a replica says about it. */
  readonly env: Readonly<Record<string, string>>
  /** Runs one statement of plain SQL, while no replica runs or beside them. */
  rows(text: string): Promise<Row[]>
  /** Rows that lead nowhere, by the engine's own check; empty when all is well. */
  dangling(): Promise<string[]>
}
