import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { toRegistryError } from './faults.ts'
import { restoringName, servingName, type PostgresSettings } from './settings.ts'

/** How often is looked, and milliseconds between: a connection that was just given up may take a moment to go. */
const looks = { count: 20, between: 100 }

/**
 * Whether others than this connection use its database: servers, commands beside them, restores.
 * @param names under which they would be connected.
 */
export async function isUsedByOthers(connection: Connection, names: readonly string[]): Promise<boolean> {
  for (let look = 1; ; look++) {
    const others = await connection.all({
      text: `SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY ($1) LIMIT 1`,
      values: [names],
    })
    if (others.length === 0) return false
    if (look === looks.count) return true
    await pause(looks.between)
  }
}

/**
 * Whether a server, or a command beside it, uses a database. Connections that call themselves {@link restoringName} do not count.
 * @throws RegistryError `METADATA_UNAVAILABLE` when that cannot be asked.
 */
export async function isServed(settings: PostgresSettings): Promise<boolean> {
  try {
    const connection = await Connection.open({ ...settings, applicationName: restoringName })
    try {
      return await isUsedByOthers(connection, [servingName])
    } finally {
      await connection.close()
    }
  } catch (error) {
    throw toRegistryError(error)
  }
}
