import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Spool } from './spool.ts'
import { spooled, webHashLeaf } from './spooled.ts'

const mebi = 1024 * 1024
let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterEach(async () => {
  await chmod(root, 0o700)
  await rm(root, { recursive: true })
})

async function* leaves(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield new Uint8Array(mebi).fill(index)
}

test('makes its folder, and tidies up what a killed process left, and nothing else', async () => {
  const folder = join(root, 'a', 'spool')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '01234567-89ab-cdef-0123-456789abcdef.spool'), 'left behind')
  await writeFile(join(folder, 'notes.txt'), 'of somebody else')
  const spool = new Spool(folder)
  await using one = await spool.create()
  await using other = await spool.create()
  await one.append(Uint8Array.of(1, 2, 3))
  await other.append(Uint8Array.of(4))
  await one.append(Uint8Array.of(5))
  const read = new Uint8Array(4)
  await one.read(read, 0)
  expect([...read]).toEqual([1, 2, 3, 5])
  expect(await readdir(folder)).toEqual(['notes.txt'])
  await expect(one.read(read, 1)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
})

test('a folder that cannot be used refuses content, and takes it once it can be used', async () => {
  const folder = join(root, 'spool')
  await writeFile(folder, 'a file')
  const spool = new Spool(folder)
  const taking = spooled(leaves(2), { spool, hashLeaf: webHashLeaf })
  await expect(taking).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await rm(folder)
  await using content = await spooled(leaves(2), { spool, hashLeaf: webHashLeaf })
  expect(content.size).toBe(2 * mebi)
})

test('a hash that fails ends it with that error, and the sender is told to stop', async () => {
  let stopped = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(mebi)
    } finally {
      stopped = true
    }
  }
  const broken = new Error('a thread died')
  const taking = spooled(endless(), { spool: new Spool(root), hashLeaf: () => Promise.reject(broken) })
  await expect(taking).rejects.toBe(broken)
  expect(stopped).toBe(true)
})
