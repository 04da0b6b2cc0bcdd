import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDigest, parseRepositoryName } from '@openregistry/oci'
import { diskAlone } from '@openregistry/testkit'
import { Connection } from './connection.ts'
import { KeptAnswers } from './kept-answers.ts'
import { keptReads } from './kept-reads.ts'
import { readAfresh, withoutTime, type Question } from './read-afresh.ts'
import { Reader } from './reader.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { Writer } from './writer.ts'

const hash = (digit: number): string => `${digit}`.repeat(64)
const digest = (digit: number): string => `sha256:${hash(digit)}`
const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

/** Two repositories; blob 1 is a manifest of the first with blob 2, and blob 3 refers to it; the second has blob 2, too. */
const world = `
  INSERT INTO repositories (id, name, visibility, listed, created_at)
    VALUES ('one', 'me/one', 'public', TRUE, 0), ('two', 'me/two', 'private', TRUE, 0);
  INSERT INTO blobs (id, sha256, size, cid, created_at, leaves)
    SELECT value, 'sha256:' || replace(hex(zeroblob(32)), '0', value), 3, '${cid}', 0, x'' FROM json_each('[1, 2, 3]');
  INSERT INTO blob_locations (blob_id, backend, key, state, verified_at, bytes)
    VALUES (1, 'inline', NULL, 'good', 0, x'010101'), (2, 'disk', 'two', 'good', 0, NULL),
      (3, 'inline', NULL, 'good', 0, x'030303');
  INSERT INTO repository_blobs (repository_id, digest, blob_id, namespace, backend)
    VALUES ('one', '${digest(2)}', 2, 'me', 'disk'), ('two', '${digest(2)}', 2, 'me', 'disk');
  INSERT INTO manifests (id, repository_id, digest, blob_id, size, media_type, subject, artifact_type, annotations, pushed_by, pushed_at)
    VALUES (1, 'one', '${digest(1)}', 1, 3, 'a/b', NULL, NULL, NULL, 'ada', 0),
      (3, 'one', '${digest(3)}', 3, 3, 'a/b', '${digest(1)}', 'a/c', '{"a":"b"}', 'ada', 0);
  INSERT INTO tags (repository_id, name, manifest_id, updated_at, updated_by)
    VALUES ('one', 'latest', 1, 0, 'ada'), ('one', 'old', 3, 0, 'ada');
  INSERT INTO layout_blocks (sha256, manifest_id, bytes) VALUES (x'${hash(7)}', 1, x'07')`

/** What anybody may do to it, there and back. */
const changes = [
  `UPDATE repositories SET visibility = CASE visibility WHEN 'public' THEN 'private' ELSE 'public' END WHERE id = 'one'`,
  `UPDATE repositories SET visibility = CASE visibility WHEN 'public' THEN 'private' ELSE 'public' END WHERE id = 'two'`,
  `UPDATE repositories SET deleted_at = iif(deleted_at IS NULL, 1, NULL) WHERE id = 'one'`,
  `UPDATE repositories SET listed = NOT listed WHERE id = 'two'`,
  `UPDATE repository_blobs SET hidden_at = iif(hidden_at IS NULL, 1, NULL) WHERE repository_id = 'one'`,
  `UPDATE repository_blobs SET lease_until = iif(lease_until IS NULL, 1, NULL) WHERE repository_id = 'two'`,
  `UPDATE repository_blobs SET unreferenced_since = iif(unreferenced_since IS NULL, 1, NULL) WHERE repository_id = 'one'`,
  `UPDATE blob_locations SET state = CASE state WHEN 'good' THEN 'damaged' ELSE 'good' END WHERE blob_id = 1`,
  `UPDATE blob_locations SET key = key || 'o' WHERE blob_id = 2`,
  `UPDATE manifests SET deleted_at = iif(deleted_at IS NULL, 1, NULL) WHERE id = 1`,
  `UPDATE manifests SET deleted_at = iif(deleted_at IS NULL, 1, NULL) WHERE id = 3`,
  `UPDATE tags SET manifest_id = 4 - manifest_id WHERE name = 'latest'`,
  `UPDATE tags SET name = CASE name WHEN 'old' THEN 'older' ELSE 'old' END WHERE name <> 'latest'`,
  // What moves content about, and changes no answer.
  'PRAGMA wal_checkpoint(TRUNCATE)',
  'PRAGMA incremental_vacuum',
  'VACUUM',
]

const names = ['me/one', 'me/two', 'me/none'].map(parseRepositoryName)
const bytesOrNot = [{ bytes: true }, { bytes: false }]
const pages = [
  { after: null, limit: 10 },
  { after: 'latest', limit: 10 },
  { after: null, limit: 1 },
]
const questions: Question[] = [
  ...names.flatMap((name): Question[] => [
    ...bytesOrNot.flatMap((wish): Question[] => [
      ['findManifest', [name, { kind: 'tag', tag: 'latest' }, wish]],
      ['findManifest', [name, { kind: 'digest', digest: digest(3) }, wish]],
      ['findBlob', [name, digest(2), wish]],
    ]),
    ...pages.map((page): Question => ['listTagNames', [name, page]]),
    ...[null, 'a/c', 'a/d'].map((type): Question => ['listReferrers', [name, digest(1), type, pages[0]]]),
  ]),
  ...['all', 'public'].flatMap((kind): Question[] => [
    ['listRepositories', [{ kind }, pages[0]]],
    ['listRepositories', [{ kind }, pages[2]]],
  ]),
  ...[1, 2, 3].flatMap((digit): Question[] =>
    ['block', 'content'].map((as) => [
      'findPublicBlob',
      [{ sha256: Uint8Array.fromHex(hash(digit)), as, except: [], bytes: true }],
    ]),
  ),
  ['findPublicNode', [Uint8Array.fromHex(hash(7))]],
]

/** Another process that does what it is told, and says when it is done. */
async function startOther(file: string): Promise<AsyncDisposable & { run(text: string): Promise<void> }> {
  const code = `
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(${JSON.stringify(file)}, { timeout: 5000 })
    database.exec('PRAGMA synchronous = OFF')
    for await (const line of (await import('node:readline')).createInterface(process.stdin)) {
      database.exec(line)
      console.log('done')
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async run(text) {
      child.stdin.write(`${text}\n`)
      expect((await lines.next()).value).toBe('done')
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

test('all reads whose answers are kept are asked here', () => {
  expect(new Set(questions.map(([name]) => name))).toStrictEqual(new Set(Object.keys(keptReads)))
})

test('many short annotations weigh what they take', () => {
  const referrer = {
    digest: parseDigest(digest(3)),
    mediaType: 'a/b',
    size: 3,
    artifactType: null,
    annotations: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [at.toString(36), ''])),
  }
  const repository = { id: 'one', name: names[0]!, visibility: 'public' } as const
  const page = { items: [referrer], more: false }
  expect(keptReads.listReferrers!.size({ repository, page })).toBeGreaterThan(100_000)
})

test('whatever others write, and whenever, the next turn is told what a connection without memory is told', async () => {
  await using folder = await temporaryFolder()
  await using writer = new Writer({ file: folder.file, autoMigrate: true, lockTimeout: 5000 })
  await writer.run('check')
  using other = new Connection(folder.file, { readOnly: false, timeout: 5000 })
  other.database.exec('PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF')
  other.database.exec(world)
  await using process = await startOther(folder.file)
  const kept = new KeptAnswers()
  using reader = new Reader(folder.file, writer, kept)
  const action = fc.record({
    by: fc.constantFrom('connection', 'process', 'writer', 'nobody'),
    change: fc.constantFrom(...changes),
    asked: fc.subarray([...questions.keys()]),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12, size: 'max' }), async (actions) => {
      for (const { by, change, asked } of actions) {
        if (by === 'connection') other.database.exec(change)
        if (by === 'process') await process.run(change)
        if (by === 'writer') await writer.run('setVisibility', names[0]!, 'public', diskAlone)
        await setImmediate()
        for (const at of asked) {
          const [name, input] = questions[at]!
          const answer = await reader.run(name, ...(input as never))
          expect(withoutTime(answer)).toStrictEqual(withoutTime(readAfresh(other, questions[at]!)))
        }
      }
    }),
    { numRuns: 25 },
  )
  expect(kept.hits).toBeGreaterThan(100)
})
