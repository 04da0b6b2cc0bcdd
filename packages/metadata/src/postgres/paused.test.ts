import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { describeWithPostgres, diskAlone, newName, pushManifest } from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import type { PausingProcess } from './test-pausing-process.ts'
import { settingsFor } from './test-settings.ts'

const program = fileURLToPath(new URL('test-pausing-process.ts', import.meta.url))

function startPausing(what: PausingProcess): ChildProcess & AsyncDisposable {
  const child = spawn(process.execPath, [program, JSON.stringify(what)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  })
}

describeWithPostgres('a process that stands still in the middle of a step', (cluster) => {
  test.each<[PausingProcess['before'], string, string]>([
    // Nobody knows whether it happened; here it has not.
    ['commit', 'METADATA_UNAVAILABLE', 'private'],
    // Nothing had happened, so it is taken again.
    ['statement', 'done', 'public'],
  ])('before a %s: others go on, and it notices', async (before, outcome, visibility) => {
    const address = await cluster().createDatabase()
    await using store = await openPostgresMetadataStore({ ...settingsFor(address), autoMigrate: true })
    const repository = newName()
    await pushManifest(store, repository)
    const settings = settingsFor(address, { idleInTransaction: 2000 })
    await using paused = startPausing({ settings, repository, before })
    await once(paused.stdout!, 'readable')
    // Waits for the row, but not as long as a change waits for a lock.
    expect(await store.setVisibility(repository, 'private', diskAlone)).toMatchObject({
      visibility: 'private',
    })
    paused.kill('SIGCONT')
    expect(await text(paused.stdout!)).toBe(`paused ${outcome}`)
    expect(await store.findRepository(repository)).toMatchObject({ visibility })
  })
})
