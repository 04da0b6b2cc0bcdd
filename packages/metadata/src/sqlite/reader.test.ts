import { stat } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { newUploadId } from '@openregistry/core'
import { parseRepositoryName } from '@openregistry/oci'
import { diskAlone } from '@openregistry/testkit'
import { Connection } from './connection.ts'
import { KeptAnswers } from './kept-answers.ts'
import { openSqliteMetadataStore } from './open.ts'
import { Reader } from './reader.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { Writer } from './writer.ts'

test('whoever was told of a change reads it, however many reads share a snapshot', async () => {
  await using folder = await temporaryFolder()
  await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
  const name = parseRepositoryName('me/app')
  await store.openUpload({
    id: newUploadId(),
    repository: name,
    defaultVisibility: 'private',
    principal: 'user:ada',
    rules: diskAlone,
    algorithm: null,
    lifetime: 60_000,
    limit: 0,
  })
  // Reads come with the same turns of the event loop as answers of the writer.
  let reading = true
  const readAgain = (): void => {
    if (!reading) return
    void store.findRepository(name)
    stat(folder.file, readAgain)
  }
  for (let reader = 0; reader < 8; reader++) readAgain()
  try {
    for (let change = 0; change < 300; change++) {
      const visibility = change % 2 === 0 ? 'public' : 'private'
      await store.setVisibility(name, visibility, diskAlone)
      expect((await store.findRepository(name))?.visibility).toBe(visibility)
    }
  } finally {
    reading = false
  }
})

const app = parseRepositoryName('me/app')
const page = { after: null, limit: 10 }

/** A reader beside a connection that writes as another process would. */
async function withOther(
  body: (reader: Reader, other: Connection, kept: KeptAnswers) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder()
  const { file } = folder
  await using writer = new Writer({ file, autoMigrate: true, lockTimeout: 1000 })
  await writer.run('check')
  using other = new Connection(file, { readOnly: false, timeout: 1000 })
  other.database.exec(
    `INSERT INTO repositories (id, name, visibility, listed, created_at) VALUES ('r', 'me/app', 'public', TRUE, 0)`,
  )
  const kept = new KeptAnswers()
  using reader = new Reader(file, writer, kept)
  await body(reader, other, kept)
}

test('an answer is given again until somebody has written, whoever it was', async () => {
  await withOther(async (reader, other, kept) => {
    const answer = await reader.run('listTagNames', app, page)
    expect(await reader.run('listTagNames', app, page)).toBe(answer)
    await setImmediate()
    expect(await reader.run('listTagNames', app, page)).toBe(answer)
    expect(kept.hits).toBe(2)
    for (const visibility of ['private', 'public', 'private']) {
      other.database.exec(`UPDATE repositories SET visibility = '${visibility}'`)
      // The snapshot that was shared until now ends with the turn of the event loop.
      await setImmediate()
      expect((await reader.run('listTagNames', app, page))?.repository.visibility).toBe(visibility)
    }
    expect(kept.hits).toBe(2)
  })
})

test('a long turn does not read on and on what was at its beginning', async () => {
  await withOther(async (reader, other) => {
    await reader.run('listTagNames', app, page)
    other.database.exec(`UPDATE repositories SET visibility = 'private'`)
    const began = performance.now()
    while (performance.now() - began < 20);
    expect((await reader.run('listTagNames', app, page))?.repository.visibility).toBe('private')
  })
})

test('an answer does not keep the address of the request that asked for it', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  await withOther(async (reader, other) => {
    other.database.exec(`UPDATE repositories SET name = 'library/application'`)
    const before = held()
    for (let asked = 0; asked < 1000; asked++) {
      const address = Buffer.alloc(16_384, `/v2/library/application/tags/list?last=${asked}&`).toString(
        'latin1',
      )
      const [name, after] = [parseRepositoryName(address.slice(4, 23)), address.slice(39, 60)]
      expect((await reader.run('listTagNames', name, { after, limit: 10 }))?.repository.name).toBe(name)
    }
    expect(held() - before).toBeLessThan(4 * 2 ** 20)
  })
})

test('when the database does not say whether it was written, nothing is taken from memory', async () => {
  await withOther(async (reader, other, kept) => {
    await reader.run('listTagNames', app, page)
    other.database.exec(`UPDATE repositories SET visibility = 'private'`)
    await setImmediate()
    const begin = kept.begin.bind(kept)
    kept.begin = () => {
      kept.begin = begin
      throw new Error('The file is locked.')
    }
    await expect(reader.run('listTagNames', app, page)).rejects.toThrow()
    expect((await reader.run('listTagNames', app, page))?.repository.visibility).toBe('private')
  })
})

test('questions that are alike have answers of their own', async () => {
  await withOther(async (reader, other) => {
    other.database.exec(
      `INSERT INTO repositories (id, name, visibility, listed, created_at) VALUES ('s', 'me/app2', 'private', TRUE, 0)`,
    )
    const names = ['me/app', 'me/app2'].map(parseRepositoryName)
    const answers = await Promise.all(
      names.flatMap((name) =>
        [1, 10].flatMap((limit) =>
          [null, '0', '10 0'].map((after) => reader.run('listTagNames', name, { after, limit })),
        ),
      ),
    )
    expect(new Set(answers).size).toBe(12)
  })
})
