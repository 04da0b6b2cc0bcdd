import { RegistryError } from '@openregistry/oci'
import { expect, test, vi } from 'vitest'
import { createReadiness } from './readiness.ts'
import type { Ports } from './settings.ts'

function ask(database: () => Promise<void>, disk: () => Promise<void> = () => Promise.resolve()) {
  const ports = { metadata: { check: database }, backends: new Map([['disk', { check: disk }]]) }
  return createReadiness(ports as unknown as Ports)
}

const states = async (readiness: ReturnType<typeof createReadiness>) =>
  Object.fromEntries(Object.entries(await readiness()).map(([name, { state }]) => [name, state]))

const ok = () => Promise.resolve()
const fail = (error: unknown) => () => Promise.reject(error)

test.each([
  ['all is well', ok, ok, ['ok', 'ok', 'ok']],
  ['the database is away', fail(new RegistryError('METADATA_UNAVAILABLE')), ok, ['failing', 'unknown', 'ok']],
  [
    'the disk of the database is full',
    fail(new RegistryError('STORAGE_FULL')),
    ok,
    ['full', 'unknown', 'ok'],
  ],
  [
    'the schema is another',
    fail(new RegistryError('METADATA_UNAVAILABLE', '', { detail: { part: 'schema' } })),
    ok,
    ['ok', 'failing', 'ok'],
  ],
  ['the backend is full', ok, fail(new RegistryError('STORAGE_FULL')), ['ok', 'ok', 'full']],
  ['the backend fails', ok, fail(new Error('EIO')), ['ok', 'ok', 'failing']],
])('%s', async (_what, database, disk, [first, second, third]) => {
  expect(await states(ask(database, disk))).toStrictEqual({
    database: first,
    schema: second,
    'backend disk': third,
  })
})

test('a part that does not answer is named, and the others are not waited for longer', async () => {
  vi.useFakeTimers()
  try {
    const asked = states(ask(ok, () => new Promise(() => {})))
    await vi.advanceTimersByTimeAsync(3000)
    expect(await asked).toStrictEqual({ database: 'ok', schema: 'ok', 'backend disk': 'no answer' })
  } finally {
    vi.useRealTimers()
  }
})

test('those who ask at once share an answer; whoever asks later gets a new one', async () => {
  const check = vi.fn<() => Promise<void>>(ok)
  const readiness = ask(check)
  await Promise.all([readiness(), readiness(), readiness()])
  expect(check).toHaveBeenCalledTimes(1)
  await readiness()
  expect(check).toHaveBeenCalledTimes(2)
})

test('a part that does not answer is asked once, until it does', async () => {
  vi.useFakeTimers()
  try {
    let answer = () => {}
    const check = vi.fn<() => Promise<void>>(() => new Promise((resolve) => (answer = resolve)))
    const readiness = ask(check)
    for (let count = 0; count < 20; count++) {
      const asked = states(readiness)
      await vi.advanceTimersByTimeAsync(3000)
      expect(await asked).toMatchObject({ database: 'no answer' })
    }
    expect(check).toHaveBeenCalledTimes(1)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    const asked = states(readiness)
    answer()
    expect(await asked).toMatchObject({ database: 'ok' })
    expect(check).toHaveBeenCalledTimes(2)
  } finally {
    vi.useRealTimers()
  }
})
