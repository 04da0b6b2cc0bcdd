import { describe, expect, test } from 'vitest'
import { errno, RecordingFileLayer, type RecordedFile } from './recording-file-layer.ts'

const bytes = Uint8Array.of(1, 2, 3)

async function create(files: RecordingFileLayer, path: string): Promise<RecordedFile> {
  const file = await files.create(path)
  await file.write(bytes, 0)
  return file
}

/** The size of a file after a cut now; null when its name is gone. */
async function sizeAfterCut(files: RecordingFileLayer, path: string): Promise<number | null> {
  return await files
    .afterCut(files.steps)
    .size(path)
    .catch(() => null)
}

describe('a cut now', () => {
  test('takes a name that was not synced, though the bytes were', async () => {
    const files = new RecordingFileLayer()
    const file = await create(files, '/a')
    await file.datasync()
    expect(await sizeAfterCut(files, '/a')).toBeNull()
  })

  test('takes bytes that were not synced, though the name was', async () => {
    const files = new RecordingFileLayer()
    const file = await create(files, '/a')
    await files.syncFolder('/')
    expect(await sizeAfterCut(files, '/a')).toBe(0)
    await file.datasync()
    await file.write(bytes, 3)
    expect(await sizeAfterCut(files, '/a')).toBe(3)
  })

  test('takes a folder with all that is in it', async () => {
    const files = new RecordingFileLayer()
    expect(await files.makeFolder('/a/b')).toBe('/a')
    const file = await create(files, '/a/b/c')
    await file.datasync()
    await files.syncFolder('/a/b')
    await files.syncFolder('/a')
    expect(await sizeAfterCut(files, '/a/b/c')).toBeNull()
    await files.syncFolder('/')
    expect(await sizeAfterCut(files, '/a/b/c')).toBe(3)
  })

  test('brings back a name whose removal was not synced', async () => {
    const files = new RecordingFileLayer()
    await create(files, '/a')
    await files.syncFolder('/')
    await files.unlink('/a')
    await expect(files.size('/a')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await sizeAfterCut(files, '/a')).toBe(0)
  })

  test('takes what a sync did not see at its beginning, and everything before its end', async () => {
    const files = new RecordingFileLayer({ seed: 3 })
    const file = await create(files, '/a')
    await files.syncFolder('/')
    const [syncing] = [file.datasync(), file.write(bytes, 3)]
    const during = files.steps
    await syncing
    expect(await files.afterCut(during).size('/a')).toBe(0)
    expect(await sizeAfterCut(files, '/a')).toBe(3)
  })

  test('takes what a failed sync left behind, whatever later syncs say', async () => {
    let failing = true
    const before = (operation: string): void => {
      if (failing && operation === 'datasync') throw errno('EIO', '/a')
    }
    const files = new RecordingFileLayer({ before })
    const file = await create(files, '/a')
    await files.syncFolder('/')
    await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO' })
    failing = false
    await file.datasync()
    expect(await sizeAfterCut(files, '/a')).toBe(0)
  })
})
