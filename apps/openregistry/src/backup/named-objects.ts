import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parseStorageKey, type StorageKey } from '@openregistry/core'

/** An object that rows of a database lead to. */
export interface NamedObject {
  backend: string
  key: StorageKey
}

/** Every object that a database file names, locations of blobs and parts of open uploads alike. */
export function* namedObjects(file: string): Generator<NamedObject, void, undefined> {
  // Nobody else has the copy; without this SQLite would put its two side files next to it.
  const immutable = pathToFileURL(file)
  immutable.searchParams.set('immutable', '1')
  using database = new DatabaseSync(immutable, { readOnly: true })
  const statement = database.prepare(`
    SELECT backend, key FROM blob_locations WHERE key IS NOT NULL
    UNION ALL
    SELECT uploads.backend, upload_parts.key FROM upload_parts
      JOIN uploads ON uploads.id = upload_parts.upload_id
      WHERE upload_parts.key IS NOT NULL AND uploads.ended_at IS NULL`)
  for (const { backend, key } of statement.iterate()) {
    yield { backend: String(backend), key: parseStorageKey(String(key)) }
  }
}
