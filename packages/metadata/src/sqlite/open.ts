import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RegistryError } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { toRegistryError } from './faults.ts'
import { Reader } from './reader.ts'
import { migrate } from './schema.ts'
import { ServerLock } from './server-lock.ts'
import { createSqliteMetadataStore, type SqliteStore } from './sqlite-metadata-store.ts'
import { Writer } from './writer.ts'

/** How a database is opened. */
export interface SqliteOptions {
  /** Path of the file. Its folder must be there; the file is created when `autoMigrate` allows it. */
  file: string
  /** Bring an older schema, or an empty file, to the newest one. */
  autoMigrate: boolean
  /** For servers: refuse when another one has the database, and keep others off. Default false. */
  exclusive?: boolean
  /** How long a step waits for another process that writes, in milliseconds. Default 5000. */
  lockTimeout?: number
}

/** Milliseconds. */
const defaultLockTimeout = 5000

/**
 * Opens the metadata in a SQLite file. Close it: what waits is finished then, and the log is written back.
 * @throws RegistryError `METADATA_UNAVAILABLE` whose message says what to do, when the folder is missing or read-only, the
 * file is no database, of another program, or of a newer version (it is not changed then), or another server has it.
 */
export async function openSqliteMetadataStore(options: SqliteOptions): Promise<SqliteStore> {
  const { file, autoMigrate, exclusive = false, lockTimeout = defaultLockTimeout } = options
  await requireFile(file, autoMigrate)
  const lock = exclusive ? new ServerLock(file) : null
  const writer = new Writer({ file, autoMigrate, lockTimeout })
  try {
    await writer.run('check')
    return createSqliteMetadataStore(file, new Reader(file, writer), writer, lock)
  } catch (error) {
    await writer[Symbol.asyncDispose]()
    lock?.[Symbol.dispose]()
    throw toRegistryError(error)
  }
}

/**
 * Brings the schema of a SQLite file to the newest version, creating the file if needed; for the command.
 * @returns the versions before and after.
 * @throws RegistryError as {@link openSqliteMetadataStore}.
 */
export async function migrateSqlite(file: string): Promise<{ from: number; to: number }> {
  await requireFile(file, true)
  try {
    using connection = new Connection(file, { readOnly: false, timeout: defaultLockTimeout })
    return migrate(connection.database, file)
  } catch (error) {
    throw toRegistryError(error)
  }
}

/**
 * Makes sure that the file is there and can be written; a new one is readable by its owner alone. An existing one is only
 * looked at: to close a file is to lose every lock that this process has on it, and another store may be open.
 */
async function requireFile(file: string, create: boolean): Promise<void> {
  try {
    const found = await stat(file).catch((error: unknown) => {
      if (create && errorCode(error) === 'ENOENT') return null
      throw error
    })
    if (found?.isDirectory() === true) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    if (found === null) await createFile(file)
    await access(file, constants.R_OK | constants.W_OK)
    await access(dirname(file), constants.W_OK)
  } catch (cause) {
    throw new RegistryError('METADATA_UNAVAILABLE', reason(file, errorCode(cause)), { cause })
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

async function createFile(file: string): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.close()
  } catch (error) {
    // Another process was first.
    if (errorCode(error) !== 'EEXIST') throw error
  }
  await syncFolder(dirname(file))
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

function reason(file: string, code: string): string {
  const folder = dirname(file)
  switch (code) {
    case 'ENOENT':
      return `There is no ${file}. Create the folder ${folder} if it is missing, then run "openregistry migrate".`
    case 'ENOTDIR':
      return `${folder} is not a folder; set data_dir to one.`
    case 'EISDIR':
      return `${file} is a folder; the database needs a file there.`
    case 'EACCES':
    case 'EPERM':
      return `This user may not write ${file}; give it the file and the folder ${folder}.`
    case 'EROFS':
      return `${folder} is on a read-only file system; set data_dir to a folder that can be written.`
    case 'ENOSPC':
      return `There is no space left for ${file}.`
    default:
      return `${file} cannot be opened (${code}).`
  }
}
