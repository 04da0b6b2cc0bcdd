import { afterEach, expect, test, vi } from 'vitest'
import { contentHasherContract } from '@openregistry/testkit'
import { createContentHasher } from './content-hasher.ts'

contentHasherContract('threads', () => createContentHasher())
contentHasherContract('one thread, nothing kept', () => createContentHasher({ threads: 1, poolBytes: 0 }))

afterEach(() => {
  vi.useRealTimers()
})

test('after a rest without work everything is given up, and comes back with the next upload', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  await using hasher = createContentHasher({ idleAfter: 1000 })
  const hash = async (): Promise<number> => {
    using run = hasher.begin({ sha512: false })
    const piece = hasher.acquire()
    await run.update(piece)
    hasher.release(piece)
    return (await run.finish()).size
  }
  const first = hasher.acquire()
  hasher.release(first)
  expect(hasher.acquire()).toBe(first)
  hasher.release(first)
  await hash()
  vi.advanceTimersByTime(999)
  expect(hasher.acquire()).toBe(first)
  hasher.release(first)
  vi.advanceTimersByTime(1000)
  expect(hasher.acquire()).not.toBe(first)
  expect(await hash()).toBe(1024 * 1024)
})
