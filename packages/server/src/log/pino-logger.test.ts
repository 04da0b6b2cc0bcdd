import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Logger } from './logger.ts'
import { openLog, type LogOptions } from './pino-logger.ts'

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What is written when `write` has had its way. */
async function writtenBy(write: (log: Logger) => void, options: Partial<LogOptions> = {}): Promise<string> {
  const path = join(folder, `${++count}.log`)
  await using file = await open(path, 'a')
  const log = await openLog({
    level: 'info',
    format: 'auto',
    terminal: false,
    color: false,
    ...options,
    descriptor: file.fd,
  })
  write(log)
  await log.flush()
  return await readFile(path, 'utf8')
}

test('an entry is one line of JSON with the names of the contract', async () => {
  const text = await writtenBy((log) => {
    log.info('blob_upload', {
      request_id: 'r1',
      repository: 'me/app',
      digest: 'sha256:00',
      ipfs_cid: 'bafy',
      size: 3,
      duration_ms: 1.5,
      principal: 'alice',
      message: 'Two\nlines.',
    })
  })
  expect(text.endsWith('\n')).toBe(true)
  expect(text.trim().split('\n')).toHaveLength(1)
  const entry = JSON.parse(text) as Record<string, unknown>
  expect(Object.keys(entry).slice(0, 4)).toEqual(['level', 'timestamp', 'service', 'event'])
  expect(new Date(String(entry['timestamp'])).toISOString()).toBe(entry['timestamp'])
  expect(entry).toMatchObject({
    level: 'info',
    service: 'openregistry',
    event: 'blob_upload',
    request_id: 'r1',
    size: 3,
    duration_ms: 1.5,
    message: 'Two\nlines.',
  })
})

test('errors come with stack and causes', async () => {
  const error = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOSPC' }) })
  const entry = JSON.parse(await writtenBy((log) => log.error('request_failed', { error }))) as {
    error: unknown
  }
  expect(entry.error).toMatchObject({
    name: 'Error',
    message: 'outer',
    stack: expect.stringContaining('pino-logger.test') as string,
    cause: { message: 'inner', code: 'ENOSPC' },
  })
})

test('levels below the configured one are not written', async () => {
  const text = await writtenBy(
    (log) => {
      expect([log.writes('debug'), log.writes('info'), log.writes('warn'), log.writes('error')]).toEqual([
        false,
        false,
        true,
        true,
      ])
      log.debug('a')
      log.info('b')
      log.warn('c')
      log.child({ x: 1 }).error('d')
    },
    { level: 'warn' },
  )
  expect(text.match(/"event":"."/g)).toEqual(['"event":"c"', '"event":"d"'])
})

test.each(['json', 'pretty'] as const)(
  'no secret is written as %s, by child loggers neither',
  async (format) => {
    const text = await writtenBy(
      (log) => {
        log.info('x', { headers: { authorization: 'Basic Y2FuYXJ5' }, message: 'Bearer c4n4ry' })
        log.child({ password: 'c4n4ry', url: 'http://u:c4n4ry@h/' }).warn('y', { token: 'c4n4ry' })
      },
      { format },
    )
    expect(text).not.toMatch(/c4n4ry|Y2FuYXJ5/)
    expect(text.match(/\[redacted\]/g)?.length).toBe(5)
  },
)

test('on a terminal it is for people, with colours only where they are wanted', async () => {
  const write = (log: Logger) => log.info('server_start', { size: 1, message: 'Here.' })
  const plain = await writtenBy(write, { terminal: true })
  expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: server_start: Here\. \{"size":1\}\n$/)
  expect(await writtenBy(write, { terminal: true, color: true })).toContain('\u001b[')
  expect(await writtenBy(write, { terminal: true, format: 'json' })).toMatch(/^\{/)
})

test('a log that cannot be written does not stop anybody', async () => {
  await using full = await open('/dev/full', 'a')
  const log = await openLog({
    level: 'info',
    format: 'json',
    terminal: false,
    color: false,
    descriptor: full.fd,
  })
  log.info('x')
  // The fault of the write arrives on its own, with nobody waiting for it.
  for (let round = 0; round < 20; round++) await stat('/dev/full')
  log.info('y')
  await log.flush()
})
