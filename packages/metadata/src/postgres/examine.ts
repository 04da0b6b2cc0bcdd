import { toRegistryError } from './faults.ts'
import { Pool } from './pool.ts'
import { readSchema } from './schema.ts'
import type { PostgresSettings } from './settings.ts'

/** What a server says about itself. */
export interface ServerFacts {
  /** For example `15.4`. */
  version: string
  /** 0: nothing was created yet. */
  schemaVersion: number
  /** Connections that the server takes from everybody together, those it keeps for superusers excepted. */
  maxConnections: number
  /** By the server's clock, in milliseconds since 1970. */
  time: number
}

/**
 * Asks a PostgreSQL server about itself; changes nothing.
 * @throws RegistryError `METADATA_UNAVAILABLE` whose message says what to do.
 */
export async function examinePostgres(settings: PostgresSettings): Promise<ServerFacts> {
  await using pool = new Pool({ ...settings, poolSize: 1 })
  try {
    return await pool.use('read', async (connection) => {
      const schemaVersion = await readSchema(connection)
      const [row] = await connection.run(`
        SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
          current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS room,
          CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS time`)
      const { version, room, time } = row as { version: string; room: number; time: number }
      return { version, schemaVersion, maxConnections: room, time }
    })
  } catch (error) {
    throw toRegistryError(error)
  }
}
