import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/bcrypt'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger, type Logger } from '../log/logger.ts'
import { openUsersFile } from './users-file.ts'

let folder: string
let file: string
let alice: string
let bob: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'users-file-'))
  file = join(folder, 'users')
  alice = `alice:${await hash('sesame', 4)}\n`
  bob = `bob:${await hash('swordfish', 4)}\n`
})
afterAll(() => rm(folder, { recursive: true }))

/** A clock that stands until it is moved. */
let time: number
const now = () => time
beforeEach(async () => {
  time = 0
  await writeFile(file, alice)
})

test('the right password of a user, and nothing else', async () => {
  const users = await openUsersFile(file)
  expect(users.size).toBe(1)
  expect(await users.verify('alice', 'sesame')).toBe(true)
  expect(await users.verify('alice', 'wrong')).toBe(false)
  expect(await users.verify('bob', 'sesame')).toBe(false)
  expect(await users.verify('Alice', 'sesame')).toBe(false)
  expect(await users.verify('', '')).toBe(false)
  expect(await users.verify('alice', 'x'.repeat(5000))).toBe(false)
})

test('nobody can log in with an empty file', async () => {
  await writeFile(file, '# nobody yet\n')
  expect(await (await openUsersFile(file)).verify('alice', 'sesame')).toBe(false)
})

test('the same question many times at once has one answer', async () => {
  const users = await openUsersFile(file)
  const answers = await Promise.all(Array.from({ length: 500 }, () => users.verify('alice', 'sesame')))
  expect(answers.every(Boolean)).toBe(true)
})

test('too many different questions at once are refused, and the others answered', async () => {
  const users = await openUsersFile(file)
  const answers = await Promise.allSettled(
    Array.from({ length: 500 }, (_, i) => users.verify('alice', `guess ${i}`)),
  )
  const refused = answers.filter((answer) => answer.status === 'rejected')
  expect(refused.length).toBeGreaterThan(300)
  expect(refused[0]?.reason).toMatchObject({ code: 'TOOMANYREQUESTS' })
  expect(await users.verify('alice', 'sesame')).toBe(true)
})

test('a missing or bad file stops the start', async () => {
  await expect(openUsersFile(join(folder, 'none'))).rejects.toThrow(/none: cannot be read: /)
  await writeFile(file, 'alice:plain\n')
  await expect(openUsersFile(file)).rejects.toThrow(`${file}:1: alice: `)
})

describe('a file that changes', () => {
  test('counts from the next look on, remembered passwords included', async () => {
    const users = await openUsersFile(file, { now })
    expect(await users.verify('alice', 'sesame')).toBe(true)
    await writeFile(file, bob)
    time = 999
    expect(await users.verify('alice', 'sesame')).toBe(true)
    time = 1000
    expect(await users.verify('alice', 'sesame')).toBe(false)
    expect(await users.verify('bob', 'swordfish')).toBe(true)
  })

  test('counts when another file takes its place', async () => {
    const users = await openUsersFile(file, { now })
    await writeFile(`${file}.new`, bob)
    await rename(`${file}.new`, file)
    time = 1000
    expect(await users.verify('bob', 'swordfish')).toBe(true)
  })

  test('stays as it was while it is damaged or away, and says so once', async () => {
    const error = vi.fn<Logger['error']>()
    const users = await openUsersFile(file, { now, log: { ...silentLogger, error } })
    await writeFile(file, `${bob}alice:pl`)
    for (time of [1000, 2000, 3000]) expect(await users.verify('alice', 'sesame')).toBe(true)
    expect(error).toHaveBeenCalledTimes(1)
    await rm(file)
    for (time of [4000, 5000]) expect(await users.verify('bob', 'swordfish')).toBe(false)
    expect(error).toHaveBeenCalledTimes(2)
    await writeFile(file, bob)
    time = 6000
    expect(await users.verify('alice', 'sesame')).toBe(false)
    expect(await users.verify('bob', 'swordfish')).toBe(true)
  })
})
