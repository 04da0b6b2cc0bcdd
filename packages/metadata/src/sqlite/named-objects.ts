import { DatabaseSync } from 'node:sqlite'
import { parseStorageKey, type StorageKey } from '@openregistry/core'
import { toRegistryError } from './faults.ts'

/** An object of a backend that rows of a database lead to. */
export interface NamedObject {
  backend: string
  key: StorageKey
  /** In bytes. */
  size: number
}

/**
 * Every object that a database file names and that is not known to be bad: where blobs are, and the parts of open uploads.
 * Reads only, row by row, on the
 * caller's thread; for backups and checks, on a file that no server needs to have open.
 * @throws RegistryError `METADATA_UNAVAILABLE` when the file cannot be read.
 */
export function* namedObjects(file: string): Generator<NamedObject, void, undefined> {
  try {
    using database = new DatabaseSync(file, { readOnly: true })
    const rows = database.prepare(`
      SELECT l.backend, l.key, b.size FROM good_locations AS l JOIN blobs AS b ON b.id = l.blob_id
      WHERE l.key IS NOT NULL
      UNION ALL
      SELECT u.backend, p.key, p.size FROM upload_parts AS p JOIN uploads AS u ON u.id = p.upload_id
      WHERE p.key IS NOT NULL AND u.ended_at IS NULL`)
    for (const { backend, key, size } of rows.iterate()) {
      yield { backend: String(backend), key: parseStorageKey(String(key)), size: Number(size) }
    }
  } catch (error) {
    throw toRegistryError(error)
  }
}
