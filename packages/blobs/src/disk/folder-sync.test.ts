import { expect, test } from 'vitest'
import { SyncSlots } from './sync-slots.ts'
import { FolderSync } from './folder-sync.ts'
import { createNodeFiles, type FileLayer } from './file-layer.ts'

/** Syncs that end when the test says so. */
class ManualSyncs {
  readonly begun: PromiseWithResolvers<void>[] = []
  readonly files: FileLayer = {
    ...createNodeFiles(),
    syncFolder: () => {
      const sync = Promise.withResolvers<void>()
      this.begun.push(sync)
      return sync.promise
    },
  }
}

/** Whether a promise has settled once everything that can run has run. */
async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(
    () => (done = true),
    () => (done = true),
  )
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

test('who comes while a sync is under way waits for the next one, and shares it', async () => {
  const syncs = new ManualSyncs()
  const folder = new FolderSync(syncs.files, '/folder', new SyncSlots(4))
  const first = folder.sync()
  const [second, third] = [folder.sync(), folder.sync()]
  expect(syncs.begun).toHaveLength(1)
  syncs.begun[0]?.resolve()
  await first
  expect(await settled(second)).toBe(false)
  expect(syncs.begun).toHaveLength(2)
  const fourth = folder.sync()
  syncs.begun[1]?.resolve()
  await Promise.all([second, third])
  expect(await settled(fourth)).toBe(false)
  syncs.begun[2]?.resolve()
  await fourth
  expect(syncs.begun).toHaveLength(3)
})

test('a failed sync fails those who share it, not the next ones', async () => {
  const syncs = new ManualSyncs()
  const folder = new FolderSync(syncs.files, '/folder', new SyncSlots(4))
  const first = folder.sync()
  const second = folder.sync()
  const broken = new Error('EIO')
  syncs.begun[0]?.reject(broken)
  await expect(first).rejects.toBe(broken)
  expect(await settled(second)).toBe(false)
  syncs.begun[1]?.resolve()
  await second
  const third = folder.sync()
  syncs.begun[2]?.resolve()
  await third
})
