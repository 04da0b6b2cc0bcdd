import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Volume } from '@openregistry/testkit'
import type { Database, Row } from './database.ts'

/** The embedded database, whose data folder is a volume. */
export function sqliteDatabase(data: Volume): Database {
  const query = (text: string): Row[] => {
    const database = new DatabaseSync(join(data.path, 'openregistry.db'), { timeout: 5000 })
    try {
      return database.prepare(text).all() as Row[]
    } finally {
      database.close()
    }
  }
  return {
    env: { OPEN_REGISTRY_DB_KIND: 'sqlite' },
    disk: data,
    rows: (text) => Promise.resolve(query(text)),
    run: async (text) => void query(text),
    dangling: () =>
      Promise.resolve([
        ...query('PRAGMA foreign_key_check').map((row) => `foreign key: ${JSON.stringify(row)}`),
        ...query('PRAGMA integrity_check')
          .filter((row) => row['integrity_check'] !== 'ok')
          .map((row) => `integrity: ${JSON.stringify(row)}`),
      ]),
    // It lies in the data folder.
    keep: () => Promise.resolve(),
    quiet: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
