import { expect, test } from 'vitest'
import { hashedContent, newName, openSession, partAt, pushBlob } from '@openregistry/testkit'
import { namedObjects } from './named-objects.ts'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('namedObjects has the objects of blobs and of open uploads, and no others', async () => {
  await using folder = await temporaryFolder()
  const expected: unknown[] = []
  {
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    const blob = await pushBlob(store, name)
    await pushBlob(store, name, hashedContent('tiny'), {
      stored: { kind: 'inline', bytes: hashedContent('tiny').bytes },
    })
    const [open, cancelled] = [await openSession(store, name), await openSession(store, name)]
    const part = partAt(open.id, 0, hashedContent('part'))
    await store.addPart({ upload: open.id, part, lifetime: 60_000 })
    const gone = partAt(cancelled.id, 0, hashedContent('gone'))
    await store.addPart({ upload: cancelled.id, part: gone, lifetime: 60_000 })
    await store.cancelUpload(name, cancelled.id)
    for (const { stored, size } of [blob, part]) {
      expected.push({ backend: 'disk', key: stored.kind === 'object' ? stored.key : '', size })
    }
  }
  expect([...namedObjects(folder.file)]).toStrictEqual(expected)
  expect(() => [...namedObjects(`${folder.file}.missing`)]).toThrow('cannot be opened')
})
