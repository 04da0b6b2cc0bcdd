import { join } from 'node:path'

/** Where the embedded database lies in a data folder. SQLite keeps its `-wal` and `-shm` files beside it. */
export function databaseFile(dataDir: string): string {
  return join(dataDir, 'openregistry.db')
}
