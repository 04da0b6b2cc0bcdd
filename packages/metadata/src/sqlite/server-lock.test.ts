import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { newName, pushManifest } from '@openregistry/testkit'
import { openSqliteMetadataStore } from './open.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('a server has its database for itself', () => {
  test('a second server is refused, a command is not', async () => {
    await using folder = await temporaryFolder()
    const options = { file: folder.file, autoMigrate: true }
    const name = newName()
    {
      await using server = await openSqliteMetadataStore({ ...options, exclusive: true })
      await expect(openSqliteMetadataStore({ ...options, exclusive: true })).rejects.toMatchObject({
        code: 'METADATA_UNAVAILABLE',
        message: expect.stringContaining('Another server') as string,
      })
      await using command = await openSqliteMetadataStore(options)
      const manifest = await pushManifest(command, name)
      expect(await server.findRepository(name)).not.toBeNull()
      expect(await server.deleteManifest(name, manifest.digest, 'user:ada')).toBe(true)
    }
    await using next = await openSqliteMetadataStore({ ...options, exclusive: true })
    expect(await next.findRepository(name)).not.toBeNull()
  })

  test('under whichever name', async () => {
    await using folder = await temporaryFolder()
    await using server = await openSqliteMetadataStore({
      ...{ file: folder.file, autoMigrate: true },
      exclusive: true,
    })
    const alias = `${folder.file}.alias`
    await symlink(folder.file, alias)
    await expect(
      openSqliteMetadataStore({ file: alias, autoMigrate: true, exclusive: true }),
    ).rejects.toThrow('Another server')
    await server.check()
  })

  test('says so when the lock cannot be taken at all', async () => {
    await using folder = await temporaryFolder()
    await mkdir(`${folder.file}.lock`)
    const options = { file: folder.file, autoMigrate: true, exclusive: true }
    await expect(openSqliteMetadataStore(options)).rejects.toMatchObject({ code: 'METADATA_UNAVAILABLE' })
  })

  test('the lock dies with its process', async () => {
    await using folder = await temporaryFolder()
    await (await openSqliteMetadataStore({ file: folder.file, autoMigrate: true }))[Symbol.asyncDispose]()
    const lock = JSON.stringify(new URL('./server-lock.ts', import.meta.url).href)
    const code = `
      const { ServerLock } = await import(${lock})
      globalThis.lock = new ServerLock(${JSON.stringify(folder.file)})
      console.log('locked')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    const options = { file: folder.file, autoMigrate: true, exclusive: true }
    await expect(openSqliteMetadataStore(options)).rejects.toThrow('Another server')
    child.kill('SIGKILL')
    await ended
    await using store = await openSqliteMetadataStore(options)
    await store.check()
  })
})
