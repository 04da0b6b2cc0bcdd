import { expect, test } from 'vitest'
import { commandBeside } from '../testing/command-beside.ts'
import { keysIn } from '../testing/object-lists.ts'
import { pushImage } from '../testing/push-image.ts'
import { startCommand } from '../testing/run-command.ts'
import { serveSeveral } from '../testing/serve-several.ts'

const { server: served, options: optionsOf, run } = commandBeside(() => serveSeveral())

test('a repository in a public backend is moved, and made private then', async () => {
  const { layer } = await pushImage(served().client, 'me/app:1', 3_000_000)
  const set = ['repository', 'set', 'me/app', '--visibility', 'private']
  const refused = await run(...set)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('1 blob of it is in public storage (open)')
  expect(refused.stderr).toContain('openregistry move me/app --to disk')
  const { code, stdout, stderr } = await run('move', 'me/app', '--to', 'disk', '--json')
  expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' })
  const amount = { blobs: 1, bytes: layer.bytes.length }
  expect(JSON.parse(stdout)).toMatchObject({
    repository: 'me/app',
    backend: 'disk',
    move: { backend: 'disk', state: 'done', total: amount, done: amount, underWay: 0, error: null },
  })
  expect(await keysIn(served().store.open)).toStrictEqual([])
  expect((await run('move', 'me/app')).stderr).toBe(
    'me/app is in disk: 1 blob of 2.9 MiB moved, and what is pushed goes there.\n',
  )
  expect((await run(...set)).code).toBe(0)
  const back = await run('move', 'me/app', '--to', 'open')
  expect(back.code).toBe(1)
  expect(back.stderr).toContain('"open" is public')
})

/** Until a process has started on a busy machine, and asked for its rate: it listens for signals then. */
const patience = { timeout: 30_000 }

test('it can be left alone, looked at, and stopped', async () => {
  await pushImage(served().client, 'me/slow:1', 3_000_000)
  const left = await run('move', 'me/slow', '--to', 'vault', '--rate', '4KiB', '--no-wait')
  expect(left).toMatchObject({ code: 0, stdout: '' })
  expect(left.stderr).toContain('me/slow is being moved to vault')
  const waiting = startCommand(['move', 'me/slow', '--to', 'vault', '--rate', '8KiB'], optionsOf())
  const ended = new Promise((resolve) => waiting.once('close', resolve))
  let said = ''
  waiting.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await expect
    .poll(async () => JSON.parse((await run('move', 'me/slow', '--json')).stdout) as unknown, patience)
    .toMatchObject({ move: { state: 'running', total: { blobs: 1 }, rate: 8192 } })
  waiting.kill('SIGINT')
  expect(await ended).toBe(1)
  expect(said).toContain('The move goes on in the background')
  expect((await run('move', 'me/slow', '--to', 'disk')).stderr).toContain('--cancel')
  const stopped = await run('move', 'me/slow', '--cancel')
  expect(stopped).toMatchObject({
    code: 0,
    stderr: 'Stopped: 0 blobs of 0 B had been moved to vault, and stay there.\n',
  })
  expect((await run('move', 'me/slow', '--cancel')).code).toBe(1)
})

test.each([
  ['no such backend', ['move', 'me/app', '--to', 'moon'], 1, 'there is open, disk, vault'],
  ['no such repository', ['move', 'me/nothing', '--to', 'disk'], 1, 'NAME_UNKNOWN'],
  ['an image', ['move', 'me/app:1', '--to', 'disk'], 2, 'as a whole'],
  ['two wishes', ['move', 'me/app', '--to', 'disk', '--cancel'], 2, 'Either --to or --cancel'],
  ['a rate that is too slow', ['move', 'me/app', '--to', 'disk', '--rate', '1'], 1, '1024 bytes a second'],
  ['a rate that is none', ['move', 'me/app', '--to', 'disk', '--rate', 'fast'], 2, 'bytes a second'],
])('%s', async (_what, args, code, text) => {
  const ended = await run(...args)
  expect(ended.code).toBe(code)
  expect(ended.stderr).toContain(text)
})
