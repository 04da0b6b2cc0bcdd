import { access, open, rename, rm } from 'node:fs/promises'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { dirname } from 'node:path'
import { RegistryError } from '@openregistry/oci'
import { toRegistryError } from './faults.ts'

/** Pages that are copied before the signal is looked at. */
const pagesAtOnce = 1024

/**
 * Copies a database that is in use, off the event loop. A read transaction of its own holds one moment still, so steps go
 * on meanwhile and the copy never begins again.
 * @throws see `SqliteMetadataStore.backup`.
 */
export async function backupDatabase(file: string, target: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await requireFree(target)
  const partial = `${target}.partial`
  try {
    await createPrivate(partial)
    await copy(file, partial, signal)
    await rename(partial, target)
    await syncFolder(dirname(target))
  } catch (error) {
    await rm(partial, { force: true })
    throw signal?.aborted === true ? signal.reason : faultOf(error, target)
  }
}

function faultOf(cause: unknown, target: string): RegistryError {
  const error = toRegistryError(cause)
  if (error.code !== 'INTERNAL' || !(cause instanceof Error)) return error
  return new RegistryError(
    'METADATA_UNAVAILABLE',
    `The backup cannot be written to ${target}: ${cause.message}`,
    {
      cause,
    },
  )
}

async function copy(file: string, partial: string, signal: AbortSignal | undefined): Promise<void> {
  using source = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  source.exec('BEGIN')
  source.exec('SELECT 1 FROM sqlite_schema')
  await copyDatabase(source, partial, { rate: pagesAtOnce, progress: () => signal?.throwIfAborted() })
}

/** An empty file that its owner alone can read, like the database itself. */
async function createPrivate(path: string): Promise<void> {
  await rm(path, { force: true })
  await using handle = await open(path, 'wx', 0o600)
  await handle.sync()
}

async function requireFree(target: string): Promise<void> {
  const taken = await access(target).then(
    () => true,
    () => false,
  )
  if (taken) throw new RegistryError('CONFLICT', `${target} exists; a backup never overwrites.`)
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}
