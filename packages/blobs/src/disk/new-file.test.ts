import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NewFile, directWrites, type DirectWrites } from './new-file.ts'

const mebi = 1024 * 1024
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openregistry-new-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A piece as the hasher lends it. */
function piece(fill: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(mebi, { maxByteLength: mebi }), 0, mebi).fill(fill)
}

async function written(name: string, direct: DirectWrites): Promise<Buffer> {
  const path = join(folder, name)
  const file = new NewFile(path, await open(path, 'wx'), direct)
  expect(await file.write(piece(1), 0)).toBe(mebi)
  expect(await file.write(piece(2), mebi)).toBe(mebi)
  expect(await file.write(piece(3).subarray(0, 5000), 2 * mebi)).toBe(5000)
  expect(await file.write(Uint8Array.of(4, 4, 4), 2 * mebi + 5000)).toBe(3)
  await file.datasync()
  expect(await file.size()).toBe(2 * mebi + 5003)
  await file.close()
  return readFile(path)
}

const expected = Buffer.concat([piece(1), piece(2), piece(3).subarray(0, 5000), Uint8Array.of(4, 4, 4)])

describe('a new file', () => {
  test('has the same bytes whichever way they were written', async () => {
    expect((await written('direct', directWrites(true))).equals(expected)).toBe(true)
    expect((await written('buffered', directWrites(false))).equals(expected)).toBe(true)
  })

  test('goes on in the ordinary way where the file system refuses direct writes', async () => {
    // No file system here refuses, so a path that cannot be opened again stands for one: the error is passed on, since
    // only "not supported" may be taken for an answer.
    const path = join(folder, 'gone')
    const handle = await open(path, 'wx')
    await rm(path)
    await writeFile(join(folder, 'other'), '')
    const file = new NewFile(path, handle, { available: true })
    await expect(file.write(piece(1), 0)).rejects.toMatchObject({ code: 'ENOENT' })
    const ordinary = new NewFile(path, await open(join(folder, 'other'), 'w'), { available: false })
    expect(await ordinary.write(piece(1), 0)).toBe(mebi)
    await file.close()
    await ordinary.close()
  })
})
