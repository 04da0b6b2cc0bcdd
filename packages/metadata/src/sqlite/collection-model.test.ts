import type { BlobStore, Lists, MetadataStore, StorageKey } from '@openregistry/core'
import { collectionModelTests, type ClockedRegistry } from '@openregistry/testkit'
import { operations, type OperationName } from '../operations.ts'
import type { Step } from '../sql/query.ts'
import { createSql, type Sql } from '../sql/sql.ts'
import { Connection } from './connection.ts'
import { runStep } from './run-step.ts'
import { migrate } from './schema.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { rows } from './test-engine.ts'

/** The operations on this thread, each in a transaction of its own, by the test's clock. */
function storeOn(connection: Connection, sql: Sql): MetadataStore {
  const { database } = connection
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    const start = operations[name] as (sql: Sql, ...input: readonly unknown[]) => Step<unknown>
    methods[name] = async (...input: readonly unknown[]) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        const value = runStep(connection, start(sql, ...input))
        database.exec('COMMIT')
        return value
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    }
  }
  return methods as unknown as MetadataStore
}

/** Objects in a map. */
function createObjects(): BlobStore & Lists {
  const objects = new Map<StorageKey, Uint8Array>()
  return {
    backend: 'disk',
    public: false,
    async write(key, source) {
      if (objects.has(key)) throw new Error('A key was used twice.')
      const chunks: Uint8Array[] = []
      for await (const chunk of source) chunks.push(new Uint8Array(chunk))
      const bytes = new Uint8Array(Buffer.concat(chunks))
      objects.set(key, bytes)
      return { size: bytes.length }
    },
    async open(key) {
      const bytes = objects.get(key)
      if (bytes === undefined) return null
      const chunks = (async function* () {
        yield bytes
      })()
      return { size: bytes.length, chunks, [Symbol.asyncDispose]: () => Promise.resolve() }
    },
    stat: async (key) => (objects.has(key) ? { size: objects.get(key)!.length } : null),
    delete: async (key) => void objects.delete(key),
    check: () => Promise.resolve(),
    async *list(prefix) {
      for (const key of [...objects.keys()]) if (key.startsWith(prefix)) yield key
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function openClocked(): ClockedRegistry {
  const connection = new Connection(':memory:', { readOnly: false, timeout: 0 })
  migrate(connection.database, ':memory:')
  connection.database.exec('PRAGMA foreign_keys = ON')
  let clock = 1_000_000
  connection.database.function('test_now', () => clock)
  const list = (text: string) => rows(connection, text) as Record<string, string>[]
  const keys = (table: string) =>
    list(`SELECT key FROM ${table} WHERE key IS NOT NULL`).map((row) => row['key']!)
  return {
    metadata: storeOn(connection, createSql({ ...sqliteDialect, now: 'test_now()' })),
    blobs: createObjects(),
    now: () => clock,
    advance: (milliseconds) => void (clock += milliseconds),
    tables: () => ({
      links: list(`SELECT r.name AS repository, k.digest FROM repository_blobs AS k
        JOIN repositories AS r ON r.id = k.repository_id`) as never,
      manifests: list(`SELECT r.name AS repository, m.digest FROM manifests AS m
        JOIN repositories AS r ON r.id = m.repository_id`) as never,
      blobs: list('SELECT sha256 FROM blobs').map((row) => row['sha256']!),
      locations: keys('blob_locations'),
      pending: keys('pending_deletes'),
      leftovers: Number(
        list(`SELECT (SELECT count(*) FROM blob_candidates) + (SELECT count(*) FROM pending_deletes)
          + (SELECT count(*) FROM uploads) + (SELECT count(*) FROM upload_parts)
          + (SELECT count(*) FROM repositories WHERE deleted_at IS NOT NULL AND emptied_at IS NULL) AS left_over`)[0]?.[
          'left_over'
        ],
      ),
    }),
    close: () => connection[Symbol.dispose](),
  }
}

collectionModelTests(openClocked)
