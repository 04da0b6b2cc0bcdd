import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Remover } from './remover.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openregistry-remover-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the remover', () => {
  test('removes many files, and says which it could not', async () => {
    const names = Array.from({ length: 300 }, (_, index) => String(index))
    for (const name of names) await writeFile(join(folder, name), name)
    await mkdir(join(folder, 'folder'))
    const remover = new Remover()
    const removals = [...names, 'missing', 'folder'].map((name) => remover.unlink(join(folder, name)))
    const results = await Promise.allSettled(removals)
    expect(results.slice(0, 300).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(results[300]).toMatchObject({
      reason: { code: 'ENOENT', syscall: 'unlink', path: join(folder, 'missing') },
    })
    expect(results[301]).toMatchObject({
      reason: { code: expect.stringMatching(/^(EISDIR|EPERM)$/) as string },
    })
    expect(await readdir(folder)).toStrictEqual(['folder'])
  })

  test('gathers what is asked for in one turn', async () => {
    const messages: unknown[] = []
    const remover = new Remover(() => {
      const thread = threadThat(
        `port.on('message', ({ id, paths }) => port.postMessage({ id, faults: paths.map(() => null) }))`,
      )
      const post = thread.postMessage.bind(thread)
      thread.postMessage = (message: unknown) => {
        messages.push(message)
        post(message)
      }
      return thread
    })
    await Promise.all([remover.unlink('a'), remover.unlink('b')])
    await remover.unlink('c')
    expect(messages).toStrictEqual([
      { id: 1, paths: ['a', 'b'] },
      { id: 2, paths: ['c'] },
    ])
  })

  test('fails what a thread that dies was given, and starts another one', async () => {
    await writeFile(join(folder, 'file'), '')
    const doomed = [() => threadThat(`port.on('message', () => process.exit(1))`)]
    const real = (): Worker => new Worker(new URL('./thread-main.ts', import.meta.url))
    const remover = new Remover(() => (doomed.shift() ?? real)())
    const lost = await Promise.allSettled([remover.unlink(join(folder, 'file')), remover.unlink('b')])
    expect(lost).toMatchObject([{ reason: { code: 'EIO' } }, { reason: { code: 'EIO' } }])
    await remover.unlink(join(folder, 'file'))
    expect(await readdir(folder)).toStrictEqual([])
  })
})

function threadThat(does: string): Worker {
  return new Worker(`const port = require('node:worker_threads').parentPort; ${does}`, { eval: true })
}
