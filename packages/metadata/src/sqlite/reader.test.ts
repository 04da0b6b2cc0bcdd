import { stat } from 'node:fs'
import { expect, test } from 'vitest'
import { newUploadId } from '@openregistry/core'
import { parseRepositoryName } from '@openregistry/oci'
import { diskAlone } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

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
