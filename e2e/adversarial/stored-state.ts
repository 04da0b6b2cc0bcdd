import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Tables that only an accepted push may change. */
const contentTables = [
  'blobs',
  'blob_locations',
  'blocks',
  'repository_blobs',
  'manifests',
  'manifest_refs',
  'tags',
  'tag_history',
] as const

/** What a registry has stored, seen behind its back. */
export class StoredState implements Disposable {
  readonly #database: DatabaseSync
  readonly #blobs: string

  /**
   * @param data folder of the database
   * @param blobs folder of the objects
   */
  constructor(data: string, blobs: string) {
    this.#database = new DatabaseSync(join(data, 'openregistry.db'), { readOnly: true })
    this.#blobs = blobs
  }

  /** Rows of content: blobs, links, manifests, tags. Equal before and after whatever was refused. */
  content(): Record<string, number> {
    return Object.fromEntries(contentTables.map((table) => [table, this.#count(table)]))
  }

  /** Repositories that have a row, listed or not. */
  repositories(): number {
    return this.#count('repositories')
  }

  /** Upload sessions that are open. */
  openUploads(): number {
    return this.#count('uploads', 'WHERE ended_at IS NULL')
  }

  /** Bytes that parts of uploads have in the database. */
  inlineParts(): number {
    const row = this.#database.prepare('SELECT sum(length(bytes)) AS bytes FROM upload_parts').get()
    return Number(row?.['bytes'] ?? 0)
  }

  /** When open sessions end without progress, in milliseconds. */
  uploadExpiries(): number[] {
    const rows = this.#database.prepare('SELECT expires_at FROM uploads WHERE ended_at IS NULL').all()
    return rows.map((row) => Number(row['expires_at']))
  }

  /** Whether there is a blob with these bytes, in whatever repository. */
  hasBlob(sha256: string): boolean {
    return this.#database.prepare('SELECT 1 FROM blobs WHERE sha256 = ?').get(sha256) !== undefined
  }

  /** Objects on the disk that no row leads to: not a blob, not a part of an open upload, not about to be deleted. */
  strayObjects(): string[] {
    const known = new Set(
      this.#database
        .prepare(
          `SELECT key FROM blob_locations WHERE key IS NOT NULL
           UNION SELECT key FROM upload_parts WHERE key IS NOT NULL
           UNION SELECT key FROM pending_deletes`,
        )
        .all()
        .map((row) => String(row['key']).replace('/', '.')),
    )
    return this.objects()
      .map((path) => basename(path))
      .filter((name) => !known.has(name))
  }

  /** Paths of all objects on the disk. */
  objects(): string[] {
    return readdirSync(this.#blobs, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[0-9a-f]{32}\.[0-9a-f]{32}$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #count(table: string, where = ''): number {
    return Number(this.#database.prepare(`SELECT count(*) AS rows FROM ${table} ${where}`).get()?.['rows'])
  }
}
