import type { MetadataStore } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import { operationMethods } from '../operation-methods.ts'
import { takesNoChanges, toRegistryError } from './faults.ts'
import { PostgresEngine } from './engine.ts'
import { Pool } from './pool.ts'
import { migrate, requireSchema } from './schema.ts'
import type { PostgresSettings } from './settings.ts'

/** How a database is opened. */
export interface PostgresOptions extends PostgresSettings {
  /** Bring an older schema, or an empty database, to the newest one. */
  autoMigrate: boolean
}

/** A MetadataStore with connections that it lends to its operations. */
export interface PostgresStore extends MetadataStore {
  readonly pool: {
    /** Connections that operations use at this moment. */
    readonly inUse: number
  }
}

/**
 * Opens the metadata in a PostgreSQL database.
 * @throws RegistryError `METADATA_UNAVAILABLE` whose message says what to do, when the server cannot be reached or refuses,
 * or the database is of another program or of a newer version (it is not changed then).
 */
export async function openPostgresMetadataStore(options: PostgresOptions): Promise<PostgresStore> {
  const pool = new Pool(options)
  try {
    await pool.use('step', (connection) => requireSchema(connection, options.autoMigrate))
  } catch (error) {
    await pool[Symbol.asyncDispose]()
    throw toRegistryError(error)
  }
  const engine = new PostgresEngine(pool)
  const methods = operationMethods(engine)
  return {
    ...methods,
    async check() {
      await methods.check()
      await requireWritable(engine)
    },
    pool,
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

/** A standby answers every question and takes no step. */
async function requireWritable(engine: PostgresEngine): Promise<void> {
  const readOnly = await engine.look(async (connection) => {
    const [row] = await connection.run('SHOW transaction_read_only')
    if (row?.['transaction_read_only'] !== 'on') return false
    connection.retire()
    return true
  })
  if (readOnly) throw new RegistryError('METADATA_UNAVAILABLE', takesNoChanges)
}

/**
 * Brings the schema of a PostgreSQL database to the newest version; for the command.
 * @returns the versions before and after.
 * @throws RegistryError as {@link openPostgresMetadataStore}.
 */
export async function migratePostgres(settings: PostgresSettings): Promise<{ from: number; to: number }> {
  await using pool = new Pool({ ...settings, poolSize: 1 })
  try {
    return await pool.use('step', (connection) => migrate(connection))
  } catch (error) {
    throw toRegistryError(error)
  }
}
