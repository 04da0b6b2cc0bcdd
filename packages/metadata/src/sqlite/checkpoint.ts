import type { Connection } from './connection.ts'

/** Pages of the log from which on it is written back when nothing else waits, and at the latest. */
const whenIdle = 4000
const atLatest = 8000

/**
 * Writes the log back into the database file, between groups rather than within a commit, so that nobody waits for it
 * while the log is short. It never waits for readers.
 */
export function checkpoint(connection: Connection, idle: boolean): void {
  try {
    const state = connection.all({ text: 'PRAGMA wal_checkpoint(NOOP)', values: [] })[0]
    const open = Number(state?.['log'] ?? 0) - Number(state?.['checkpointed'] ?? 0)
    if (open < (idle ? whenIdle : atLatest)) return
    connection.all({ text: 'PRAGMA wal_checkpoint(PASSIVE)', values: [] })
  } catch {
    // The log has everything and is read until this succeeds; a disk that stays full or broken refuses the next steps.
  }
}
