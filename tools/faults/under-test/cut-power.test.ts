import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createNodeFiles, type FileLayer } from '@openregistry/blobs'
import { randomFrom } from '@openregistry/testkit'
import { cutPower } from './cut-power.ts'
import { journalledFiles } from './journalled-files.ts'

let root: string
let folder: string
let files: FileLayer

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'openregistry-cut-'))
  folder = join(root, 'objects')
  await mkdir(folder)
  await mkdir(join(root, 'graveyard'))
  files = journalledFiles(createNodeFiles(), join(root, 'journal'), join(root, 'graveyard'))
})

afterEach(() => rm(root, { recursive: true, force: true }))

/** Writes a file in two halves, and syncs after as many of them as said. */
async function write(name: string, synced: 0 | 1 | 2): Promise<void> {
  const file = await files.create(join(folder, name))
  for (const half of [1, 2]) {
    await file.write(new Uint8Array(100), (half - 1) * 100)
    if (half <= synced) await file.datasync()
  }
  await file.close()
}

const cut = (seed = 1): Promise<number> => cutPower(join(root, 'journal'), randomFrom(seed))

test('a file with synced bytes and a synced name is as it was', async () => {
  await write('whole', 2)
  await files.syncFolder(folder)
  expect(await cut()).toBe(0)
  expect((await stat(join(folder, 'whole'))).size).toBe(200)
})

test('bytes that were not synced are gone', async () => {
  await write('half', 1)
  await write('nothing', 0)
  await files.syncFolder(folder)
  expect(await cut()).toBe(2)
  expect((await stat(join(folder, 'half'))).size).toBe(100)
  expect((await stat(join(folder, 'nothing'))).size).toBe(0)
})

test('a name that no later sync of the folder covered is gone', async () => {
  await files.syncFolder(folder)
  await write('nameless', 2)
  expect(await cut()).toBe(1)
  expect(await readdir(folder)).toEqual([])
})

test('a deletion that was not synced may have come back, a synced one has not', async () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    await write(`file-${seed}`, 2)
    await files.syncFolder(folder)
    await files.unlink(join(folder, `file-${seed}`))
    await cut(seed)
    outcomes.add((await readdir(folder)).includes(`file-${seed}`) ? 'back' : 'gone')
  }
  expect(outcomes).toEqual(new Set(['back', 'gone']))
  await write('gone', 2)
  await files.syncFolder(folder)
  await files.unlink(join(folder, 'gone'))
  await files.syncFolder(folder)
  await cut()
  expect(await readdir(folder)).not.toContain('gone')
})

test('what survived one cut survives the next', async () => {
  await write('whole', 2)
  await files.syncFolder(folder)
  await cut()
  expect(await cut()).toBe(0)
  expect(await readdir(folder)).toEqual(['whole'])
})
