import { toRegistryError } from './faults.ts'
import { Pool } from './pool.ts'
import { readSchema } from './schema.ts'
import type { PostgresSettings } from './settings.ts'

/** A setting of the server that must be on, or a crash loses what was answered. */
export type UnsafeSetting = 'fsync' | 'full_page_writes' | 'synchronous_commit'

/** What a server says about itself. */
export interface ServerFacts {
  /** For example `15.4`. */
  version: string
  /** 0: nothing was created yet. */
  schemaVersion: number
  /** Connections that the server takes from everybody together, those it keeps for others excepted. */
  maxConnections: number
  /** Which settings are off without which a crash of the server takes what it had committed. */
  unsafe: readonly UnsafeSetting[]
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
          current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0) AS room,
          CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS time`)
      const { version, room, time } = row as { version: string; room: number; time: number }
      const unsafe = await connection.run(`
        SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit']) AS name
        WHERE current_setting(name) = 'off' ORDER BY name`)
      return {
        version,
        schemaVersion,
        maxConnections: room,
        unsafe: unsafe.map(({ name }) => name as UnsafeSetting),
        time,
      }
    })
  } catch (error) {
    throw toRegistryError(error)
  }
}
