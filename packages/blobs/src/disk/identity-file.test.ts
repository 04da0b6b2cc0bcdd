import { expect, test } from 'vitest'
import { identityName, newBackendIdentity, type KeepsIdentity } from '@openregistry/core'
import { RecordingFileLayer } from '@openregistry/testkit'
import { openDiskBlobStore } from './disk-blob-store.ts'
import { IdentityFile } from './identity-file.ts'

const path = '/data/blobs'
const file = `${path}/${identityName}`

/** Files on which a folder of blobs is ready. */
async function preparedFiles(): Promise<RecordingFileLayer> {
  const files = new RecordingFileLayer()
  await openDiskBlobStore({ path, files })
  return files
}

async function writeFile(files: RecordingFileLayer, text: string): Promise<void> {
  const made = await files.create(file)
  await made.write(new TextEncoder().encode(text), 0)
  await made.close()
}

test('nothing is made before it is claimed; then everything is', async () => {
  const files = new RecordingFileLayer()
  await using store = await openDiskBlobStore({ path, files, create: false })
  expect(await store.readIdentity()).toBeNull()
  expect(await Array.fromAsync(store.list(''))).toStrictEqual([])
  await expect(store.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await expect(Array.fromAsync(files.names('/data'))).rejects.toThrow('ENOENT')
  const identity = newBackendIdentity()
  expect(await store.claim(identity)).toBe(identity)
  expect((await Array.fromAsync(files.names(path))).length).toBe(257)
  await store.check()
})

test('wherever the power is cut, there is a whole identity or none, and the one that was told', async () => {
  const files = new RecordingFileLayer({ seed: 1 })
  const identity = newBackendIdentity()
  let told: number
  {
    await using store = await openDiskBlobStore({ path, files, create: false })
    expect(await store.claim(identity)).toBe(identity)
    told = files.steps
  }
  for (let step = 0; step <= told; step++) {
    await using left = await openDiskBlobStore({ path, files: files.afterCut(step), create: false })
    expect([identity, ...(step < told ? [null] : [])]).toContain(await left.readIdentity())
  }
})

test('an identity that was whole and not synced is, once somebody relies on it', async () => {
  const files = await preparedFiles()
  const identity = newBackendIdentity()
  await writeFile(files, `${identity}\n`)
  await using store = await openDiskBlobStore({ path, files, create: false })
  expect(await store.claim(newBackendIdentity())).toBe(identity)
  await using left = await openDiskBlobStore({ path, files: files.afterCut(files.steps), create: false })
  expect(await left.readIdentity()).toBe(identity)
})

test.each(['', '0123456789abcdef', 'not an identity at all\n', `${'0'.repeat(32)} and more\n`])(
  'what a start that was killed left behind is none, and replaced: %j',
  async (text) => {
    const files = await preparedFiles()
    await writeFile(files, text)
    const kept = new IdentityFile(files, path, 0)
    expect(await kept.read()).toBeNull()
    const identity = newBackendIdentity()
    expect(await kept.write(identity)).toBe(identity)
    expect(await kept.read()).toBe(identity)
    expect(files.openFiles).toBe(0)
  },
)

test('one that somebody else is about to write is waited for', async () => {
  const files = await preparedFiles()
  const identity = newBackendIdentity()
  const made = await files.create(file)
  const claimed = new IdentityFile(files, path).write(newBackendIdentity())
  await made.write(new TextEncoder().encode(`${identity}\n`), 0)
  await made.close()
  expect(await claimed).toBe(identity)
})

test('probes that were left behind go at the next start', async () => {
  const files = await preparedFiles()
  const left = await files.create(`${path}/probe.0b9be164-e6ff-4177-8c70-a2725899252d`)
  await left.close()
  await using store = await openDiskBlobStore({ path, files })
  await store.check()
  expect((await Array.fromAsync(files.names(path))).filter((name) => name.length > 2)).toStrictEqual([])
})

test.each<[string, (store: KeepsIdentity) => Promise<unknown>]>([
  ['reading', (store) => store.readIdentity()],
  ['claiming', (store) => store.claim(newBackendIdentity())],
])('%s where it is not allowed says which folder, and what to do', async (_what, use) => {
  let allowed = true
  const files = new RecordingFileLayer({
    before: () => {
      if (!allowed) throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
    },
  })
  await using store = await openDiskBlobStore({ path, files })
  allowed = false
  await expect(use(store)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining(`the folder of the blobs, ${path}; give it that folder`) as string,
  })
})
