import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { manifestAt, newName, pushManifest } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('backup', () => {
  test('has everything that was acknowledged before, and is whole, while steps go on', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'copy.db')
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    const before = await Promise.all(Array.from({ length: 300 }, () => pushManifest(store, name)))
    const backup = store.backup(target)
    const during = await Promise.all(Array.from({ length: 300 }, () => pushManifest(store, name)))
    await backup
    expect((await stat(target)).mode & 0o777).toBe(0o600)
    await using copy = await openSqliteMetadataStore({ file: target, autoMigrate: false })
    for (const { digest } of before) expect(await manifestAt(copy, name, digest)).not.toBeNull()
    for (const { digest } of during) expect(await manifestAt(store, name, digest)).not.toBeNull()
    await pushManifest(copy, name)
  })

  test('never overwrites', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'copy.db')
    await writeFile(target, 'mine')
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await stat(target)).size).toBe(4)
  })

  test('leaves nothing behind when it is given up', async () => {
    await using folder = await temporaryFolder()
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        pushManifest(store, name, { bytes: new Uint8Array(1_000_000 + n).fill(n) }),
      ),
    )
    const files = (await readdir(folder.path)).sort()
    const giveUp = new AbortController()
    const backup = store.backup(join(folder.path, 'copy.db'), giveUp.signal)
    giveUp.abort(new Error('enough'))
    await expect(backup).rejects.toThrow('enough')
    await expect(store.backup(join(folder.path, 'copy.db'), giveUp.signal)).rejects.toThrow('enough')
    expect((await readdir(folder.path)).sort()).toStrictEqual(files)
  })

  test('never begins again, however much is written meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    const name = newName()
    for (let n = 0; n < 16; n++) await pushManifest(store, name, { bytes: new Uint8Array(1_000_000 + n) })
    using other = new DatabaseSync(folder.file)
    let asked = 0
    const signal = {
      aborted: false,
      throwIfAborted() {
        if (++asked > 20) throw new Error('The copy began again and again.')
        other.exec(`INSERT INTO jobs (kind, payload, run_after, created_at) VALUES ('x', '', 0, 0)`)
      },
    } as unknown as AbortSignal
    await store.backup(join(folder.path, 'copy.db'), signal)
    expect(asked).toBeGreaterThan(3)
  })

  test('says so when the folder is missing', async () => {
    await using folder = await temporaryFolder()
    await using store = await openSqliteMetadataStore({ file: folder.file, autoMigrate: true })
    await expect(store.backup(join(folder.path, 'missing', 'copy.db'))).rejects.toMatchObject({
      code: 'METADATA_UNAVAILABLE',
      message: expect.stringContaining('cannot be written to') as string,
    })
  })
})
