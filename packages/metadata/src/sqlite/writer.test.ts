import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { manifestOf, newName, openSession, pushManifest } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { startWriterThread, Writer } from './writer.ts'

const unavailable = { code: 'METADATA_UNAVAILABLE' }

/** Holds the write lock of a file, as a command that writes would. */
function holdWriteLock(file: string): Disposable {
  const database = new DatabaseSync(file)
  database.exec('BEGIN IMMEDIATE')
  return {
    [Symbol.dispose]() {
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

describe('while another process writes', () => {
  test('reads go on, a step waits, and is taken when the lock is free', async () => {
    await using folder = await temporaryFolder()
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    const { repository } = await openSession(store, name)
    const other = newName()
    let taken = false
    let step: Promise<unknown>
    {
      using _lock = holdWriteLock(folder.file)
      step = openSession(store, other).then(() => (taken = true))
      for (let n = 0; n < 100; n++) expect(await store.findRepository(name)).toStrictEqual(repository)
      expect(await store.findRepository(other)).toBeNull()
      expect(taken).toBe(false)
    }
    await step
    expect(await store.findRepository(other)).not.toBeNull()
  })

  test('a step gives up after the time that was set, and the next one works', async () => {
    await using folder = await temporaryFolder()
    const options = { file: folder.file, autoMigrate: true, lockTimeout: 20 }
    await using store = await openSqliteMetadataStore(options)
    const name = newName()
    {
      using _lock = holdWriteLock(folder.file)
      await expect(openSession(store, name)).rejects.toMatchObject(unavailable)
      await expect(store.check()).rejects.toMatchObject(unavailable)
    }
    await store.check()
    await openSession(store, name)
  })
})

describe('reads while the file is locked against readers', () => {
  test('are done by the writer once it is free', async () => {
    await using folder = await temporaryFolder()
    const name = newName()
    {
      await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
      await openSession(store, name)
    }
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const original = DatabaseSync.prototype.prepare
    const busy = Object.assign(new Error('database is locked'), { errcode: 5 })
    let failures = 0
    DatabaseSync.prototype.prepare = function () {
      failures++
      throw busy
    }
    try {
      expect(await store.findRepository(name)).toMatchObject({ name })
    } finally {
      DatabaseSync.prototype.prepare = original
    }
    expect(failures).toBe(1)
  })
})

describe('a writer thread that dies', () => {
  test('fails what it was given, and is replaced', async () => {
    await using folder = await temporaryFolder()
    const threads: Worker[] = []
    const settings = { file: folder.file, autoMigrate: true, lockTimeout: 5000 }
    await using writer = new Writer(settings, (given) => {
      const thread = startWriterThread(given)
      threads.push(thread)
      return thread
    })
    await writer.run('check')
    const name = newName()
    {
      using _lock = holdWriteLock(folder.file)
      const lost = [writer.run('putManifest', manifestOf(name)), writer.run('check')]
      const settled = Promise.allSettled(lost)
      await threads[0]?.terminate()
      for (const result of await settled) {
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
      }
    }
    expect(await writer.run('putManifest', manifestOf(name))).toStrictEqual({ missing: [] })
    expect(threads).toHaveLength(2)
  })
})

describe('closing', () => {
  test('finishes what was given, writes the log back, and refuses what comes after', async () => {
    await using folder = await temporaryFolder()
    const store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    const steps = Promise.all(Array.from({ length: 600 }, () => pushManifest(store, name)))
    await store[Symbol.asyncDispose]()
    expect(await steps).toHaveLength(600)
    await expect(openSession(store, name)).rejects.toMatchObject(unavailable)
    await expect(store.findRepository(name)).rejects.toMatchObject(unavailable)
    await store[Symbol.asyncDispose]()
    using database = new DatabaseSync(folder.file, { readOnly: true })
    expect(database.prepare('SELECT count(*) AS count FROM manifests').get()).toMatchObject({ count: 600 })
  })
})
