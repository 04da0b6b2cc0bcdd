import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import { newName, openSession } from '@openregistry/testkit'
import { migrateSqlite, openSqliteMetadataStore } from './open.ts'
import { schemaVersion } from '../applied-schema.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** The message with which a database is refused. */
async function refusal(step: Promise<unknown>): Promise<string> {
  const error = await step.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RegistryError)) throw new Error('Expected a RegistryError.', { cause: error })
  expect(error.code).toBe('METADATA_UNAVAILABLE')
  return error.message
}

/** Runs statements on a file behind the back of the store. */
function change(file: string, sql: string): void {
  using database = new DatabaseSync(file)
  database.exec(sql)
}

describe('openSqliteMetadataStore', () => {
  test('creates a database for its owner alone, and opens it again', async () => {
    await using folder = await temporaryFolder()
    const name = newName()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await openSession(store, name)
    }
    expect((await stat(folder.file)).mode & 0o777).toBe(0o600)
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: false })
    expect(await store.findRepository(name)).not.toBeNull()
    expect(await store.figures()).toMatchObject({ schemaVersion })
  })

  test('has the settings that durability and strictness need', async () => {
    await using folder = await temporaryFolder()
    await migrateSqlite(folder.file)
    using database = new DatabaseSync(folder.file, { readOnly: true })
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('auto_vacuum')).toBe(2)
  })

  test('says what to do when the folder is missing', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'missing', 'registry.db')
    expect(await refusal(openSqliteMetadataStore({ file, autoMigrate: true }))).toContain('Create the folder')
  })

  test('refuses a folder in place of the file', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file)
    const opening = openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    expect(await refusal(opening)).toContain('is a folder')
  })

  test('refuses a folder that this user may not write', async () => {
    await using folder = await temporaryFolder()
    await chmod(folder.path, 0o500)
    // The superuser may write anywhere but in the kernel's own file systems.
    const file = process.getuid?.() === 0 ? '/sys/registry.db' : folder.file
    expect(await refusal(openSqliteMetadataStore({ file, autoMigrate: true }))).toContain('may not write')
    await chmod(folder.path, 0o700)
  })

  test('refuses a file that is no database, and does not touch it', async () => {
    await using folder = await temporaryFolder()
    const text = 'These are my notes, not a database. '.repeat(100)
    await writeFile(folder.file, text)
    const opening = openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    expect(await refusal(opening)).toContain('not an OpenRegistry database')
    expect(await readFile(folder.file, 'utf8')).toBe(text)
  })

  test('refuses a database of another program, and does not touch it', async () => {
    await using folder = await temporaryFolder()
    change(folder.file, 'CREATE TABLE repositories (x)')
    const before = await readFile(folder.file)
    const opening = openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    expect(await refusal(opening)).toContain('another program')
    expect((await readFile(folder.file)).equals(before)).toBe(true)
  })

  test('refuses a newer schema, and does not touch it', async () => {
    await using folder = await temporaryFolder()
    await migrateSqlite(folder.file)
    change(folder.file, `INSERT INTO schema_migrations VALUES (${schemaVersion + 1}, 'next', 0, NULL)`)
    const before = await readFile(folder.file)
    for (const autoMigrate of [true, false]) {
      const message = await refusal(openSqliteMetadataStore({ file: folder.file, autoMigrate }))
      expect(message).toContain(`has schema ${schemaVersion + 1}`)
    }
    expect(await refusal(migrateSqlite(folder.file))).toContain('at least as new')
    expect((await readFile(folder.file)).equals(before)).toBe(true)
  })

  test('leaves an older schema alone unless it may migrate', async () => {
    await using folder = await temporaryFolder()
    const missing = openSqliteMetadataStore({ file: folder.file, autoMigrate: false })
    expect(await refusal(missing)).toContain('openregistry migrate')
    await writeFile(folder.file, '')
    const empty = openSqliteMetadataStore({ file: folder.file, autoMigrate: false })
    expect(await refusal(empty)).toContain('openregistry migrate')
    expect((await stat(folder.file)).size).toBe(0)
  })
})

describe('migrateSqlite', () => {
  test('says what it did, and does it once', async () => {
    await using folder = await temporaryFolder()
    expect(await migrateSqlite(folder.file)).toStrictEqual({ from: 0, to: schemaVersion })
    expect(await migrateSqlite(folder.file)).toStrictEqual({ from: schemaVersion, to: schemaVersion })
  })

  test('may be run by several at once', async () => {
    await using folder = await temporaryFolder()
    const opening = Array.from({ length: 4 }, () =>
      openSqliteMetadataStore({ file: folder.file, autoMigrate: true }),
    )
    for (const store of await Promise.all(opening)) {
      expect(await store.figures()).toMatchObject({ schemaVersion })
      await store[Symbol.asyncDispose]()
    }
  })
})
