import { expect, test } from 'vitest'
import { PeerRefusal, PeerUnreachable } from './peer-fault.ts'
import { retrying } from './retrying.ts'

/** Fails so often, then succeeds. */
function failing(times: number, error: unknown): { attempt: () => Promise<string>; attempts: () => number } {
  let attempts = 0
  const attempt = (): Promise<string> =>
    ++attempts <= times ? Promise.reject(error) : Promise.resolve('done')
  return { attempt, attempts: () => attempts }
}

test.each([
  ['nobody answers', new PeerUnreachable('gone')],
  ['a proxy says that nobody answers', new PeerRefusal(502, 'bad gateway')],
  ['it is too much at the moment', new PeerRefusal(429, 'slow down')],
])('when %s it is tried again', async (_what, error) => {
  const { attempt, attempts } = failing(2, error)
  expect(await retrying(attempt, { within: 5000 })).toBe('done')
  expect(attempts()).toBe(3)
})

test.each([
  ['a refusal', new PeerRefusal(500, 'no')],
  ['an error of another kind', new Error('broken')],
])('%s is final', async (_what, error) => {
  const { attempt, attempts } = failing(1, error)
  await expect(retrying(attempt, { within: 5000 })).rejects.toBe(error)
  expect(attempts()).toBe(1)
})

test('the last error comes out when the time is over', async () => {
  const error = new PeerUnreachable('gone')
  const { attempt, attempts } = failing(1000, error)
  await expect(retrying(attempt, { within: 300 })).rejects.toBe(error)
  expect(attempts()).toBeGreaterThan(1)
  const once = failing(1000, error)
  await expect(retrying(once.attempt, { within: 0 })).rejects.toBe(error)
  expect(once.attempts()).toBe(1)
})

test('a signal ends the pause with its reason', async () => {
  const reason = new Error('shutting down')
  const aborting = new AbortController()
  const attempt = (): Promise<never> => {
    setImmediate(() => aborting.abort(reason))
    return Promise.reject(new PeerUnreachable('gone'))
  }
  await expect(retrying(attempt, { within: 60_000, signal: aborting.signal })).rejects.toBe(reason)
})
