import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const module = new URL('installation-lock.mjs', import.meta.url).href
const { withInstallationLock } = (await import(module)) as {
  withInstallationLock<T>(root: string, onWait: () => void, work: () => Promise<T>): Promise<T>
}

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'))
})
afterEach(() => rm(root, { recursive: true }))

test('processes take turns, and leave nothing behind', async () => {
  const log = join(root, 'log')
  const script = `
    import { appendFile } from 'node:fs/promises'
    import { setTimeout } from 'node:timers/promises'
    const { withInstallationLock } = await import(${JSON.stringify(module)})
    await withInstallationLock(${JSON.stringify(root)}, () => {}, async () => {
      await appendFile(${JSON.stringify(log)}, 'begin ' + process.pid + '\\n')
      await setTimeout(20)
      await appendFile(${JSON.stringify(log)}, 'end ' + process.pid + '\\n')
    })`
  const ends = Array.from({ length: 5 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
    return new Promise((resolve) => child.once('exit', resolve))
  })
  expect(await Promise.all(ends)).toEqual([0, 0, 0, 0, 0])
  const lines = (await readFile(log, 'utf8')).trim().split('\n')
  expect(lines).toHaveLength(10)
  for (let index = 0; index < lines.length; index += 2) {
    expect(lines[index + 1]).toBe(lines[index]?.replace('begin', 'end'))
  }
  expect(await readdir(root)).toEqual(['log'])
})

test('a lock whose owner is gone is taken over by one of those who wait', async () => {
  // No process has this id: ids end far below it.
  await writeFile(join(root, '.install-lock'), JSON.stringify({ pid: 2 ** 30, host: hostname() }))
  let inside = 0
  const work = async () => {
    expect(++inside).toBe(1)
    await new Promise(setImmediate)
    inside--
    return 'done'
  }
  expect(await withInstallationLock(root, () => {}, work)).toBe('done')
  expect(await readdir(root)).toEqual([])
})

test('a lock is given back when the work fails', async () => {
  const failing = withInstallationLock(
    root,
    () => {},
    () => Promise.reject(new Error('npm failed')),
  )
  await expect(failing).rejects.toThrow('npm failed')
  expect(await readdir(root)).toEqual([])
})
