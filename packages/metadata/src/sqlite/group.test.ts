import { describe, expect, test } from 'vitest'
import { hashedContent, manifestOf, newName } from '@openregistry/testkit'
import { checkpoint } from './checkpoint.ts'
import type { Connection } from './connection.ts'
import { runGroup } from './group.ts'
import type { WriterResult } from './messages.ts'
import { request, withConnection } from './test-engine.ts'

/** `ok`, or the code of the error. */
function outcome(result: WriterResult): string {
  return 'error' in result ? result.error.code : 'ok'
}

function count(connection: Connection, table: string): unknown {
  return connection.database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
}

/** Makes commits fail as on a full disk: SQLite has undone everything then. Gives the number of commits so far. */
function failCommits({ database }: Connection, fails: (count: number) => boolean): () => number {
  const exec = database.exec.bind(database)
  let commits = 0
  database.exec = (sql) => {
    if (sql !== 'COMMIT' || !fails(++commits)) return exec(sql)
    exec('ROLLBACK')
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
  }
  return () => commits
}

describe('a group', () => {
  test('undoes a step that fails, and it alone', async () => {
    await withConnection((connection) => {
      const name = newName()
      const missing = [hashedContent().sha256]
      const results = runGroup(connection, [
        request('putManifest', manifestOf(name)),
        request('putManifest', manifestOf(newName(), { blobs: missing })),
        request('putManifest', manifestOf(name)),
      ])
      expect(results.map(outcome)).toStrictEqual(['ok', 'MANIFEST_BLOB_UNKNOWN', 'ok'])
      expect(count(connection, 'manifests')).toBe(2)
      expect(count(connection, 'repositories')).toBe(1)
    })
  })

  test('makes a fault of the program an INTERNAL error of that step', async () => {
    await withConnection((connection) => {
      const manifest = manifestOf(newName())
      const results = runGroup(connection, [
        request('putManifest', manifestOf(newName())),
        request('putManifest', { ...manifest, mediaType: null as unknown as string }),
        request('putManifest', undefined as unknown as typeof manifest),
      ])
      expect(results.map(outcome)).toStrictEqual(['ok', 'INTERNAL', 'INTERNAL'])
      expect(connection.database.isTransaction).toBe(false)
      expect(count(connection, 'manifests')).toBe(1)
    })
  })

  test('lets steps that fit be taken when another one fills the disk, and goes on', async () => {
    await withConnection((connection) => {
      const pages = Number(connection.database.prepare('PRAGMA page_count').get()?.['page_count'])
      const limit = (to: number) => connection.database.exec(`PRAGMA max_page_count = ${to}`)
      limit(pages + 60)
      const large = manifestOf(newName(), { bytes: new Uint8Array(2 * 1024 * 1024) })
      const results = runGroup(connection, [
        request('putManifest', manifestOf(newName())),
        request('putManifest', large),
        request('putManifest', manifestOf(newName())),
      ])
      expect(results.map(outcome)).toStrictEqual(['ok', 'STORAGE_FULL', 'ok'])
      expect(count(connection, 'manifests')).toBe(2)
      limit(pages + 10_000)
      expect(runGroup(connection, [request('putManifest', large)]).map(outcome)).toStrictEqual(['ok'])
    })
  })

  test('is tried again step by step when its commit fails', async () => {
    await withConnection((connection) => {
      const requests = [1, 2, 3].map(() => request('putManifest', manifestOf(newName())))
      const commits = failCommits(connection, (count) => count === 1)
      expect(runGroup(connection, requests).map(outcome)).toStrictEqual(['ok', 'ok', 'ok'])
      expect(commits()).toBe(4)
      expect(count(connection, 'manifests')).toBe(3)
    })
  })

  test('is refused whole when no commit succeeds, and leaves nothing', async () => {
    await withConnection((connection) => {
      const requests = [1, 2, 3].map(() => request('putManifest', manifestOf(newName())))
      failCommits(connection, (count) => count <= 4)
      const full = 'STORAGE_FULL'
      expect(runGroup(connection, requests).map(outcome)).toStrictEqual([full, full, full])
      expect(count(connection, 'repositories')).toBe(0)
      expect(runGroup(connection, requests).map(outcome)).toStrictEqual(['ok', 'ok', 'ok'])
    })
  })

  test('answers reads, too', async () => {
    await withConnection((connection) => {
      const name = newName()
      const [, found] = runGroup(connection, [
        request('putManifest', manifestOf(name)),
        request('findRepository', name),
      ])
      expect(found).toMatchObject({ value: { name } })
    })
  })
})

describe('the writing connection', () => {
  test('waits for the disk, checks foreign keys, and leaves writing back to the thread', async () => {
    await withConnection(({ database }) => {
      const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
      const names = ['journal_mode', 'synchronous', 'fullfsync', 'checkpoint_fullfsync', 'foreign_keys']
      expect(names.map(pragma)).toStrictEqual(['wal', 2, 1, 1, 1])
      expect(pragma('wal_autocheckpoint')).toBe(0)
    })
  })
})

describe('the log', () => {
  test('is written back once it is long, and not before', async () => {
    await withConnection((connection) => {
      const log = () =>
        connection.database.prepare('PRAGMA wal_checkpoint(NOOP)').get() as Record<
          'log' | 'checkpointed',
          number
        >
      let size = 0
      const put = () =>
        runGroup(connection, [
          request('putManifest', manifestOf(newName(), { bytes: new Uint8Array(999_000 + ++size) })),
        ])
      put()
      checkpoint(connection, true)
      expect(log().checkpointed).toBe(0)
      for (let n = 0; n < 20; n++) put()
      checkpoint(connection, false)
      expect(log().checkpointed).toBe(0)
      checkpoint(connection, true)
      expect(log().checkpointed).toBeGreaterThan(4000)
      put()
      expect(log().log).toBeLessThan(1000)
    })
  })
})
