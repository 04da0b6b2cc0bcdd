import {
  createRegistry,
  operator,
  Pace,
  scrubJob,
  verifyStored,
  type Ports,
  type ScrubObserver,
  type StorageKey,
  type Verified,
} from '@openregistry/core'
import { parseRepositoryName, type Digest } from '@openregistry/oci'
import { createMetrics } from '@openregistry/server/metrics'
import { silentLogger, type LogFields } from '@openregistry/server/log'
import { faultBlobStore, type FaultyBlobStore } from '@openregistry/testkit'
import { createMemoryBlobStore } from '@openregistry/blobs'
import { expect, test } from 'vitest'
import { pushContent, randomContent } from '../testing/content.ts'
import { interleavedPorts } from '../testing/interleaved-ports.ts'
import { later } from '../testing/later.ts'
import { observeScrub } from './observe-scrub.ts'

const repository = parseRepositoryName('me/app')

/** A registry on faulty blobs, with nobody to wait for. */
async function openFaulty(): Promise<AsyncDisposable & { ports: Ports; store: FaultyBlobStore }> {
  const opened = await interleavedPorts(() => Promise.resolve())
  const store = faultBlobStore(opened.store)
  const ports = { ...opened.ports, backends: new Map([[store.backend, store]]) }
  return { ports, store, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

const push = (ports: Ports, bytes = randomContent(40_000)): Promise<Digest> =>
  pushContent(createRegistry(ports), repository, bytes)

async function verify(
  ports: Ports,
  over: { before?: number; signal?: AbortSignal; observer?: ScrubObserver } = {},
): Promise<Verified> {
  const { before = await later(ports), observer = {}, signal } = over
  const options = { verifiedBefore: before, pace: new Pace(0), repository: null, most: null, observer }
  return verifyStored(ports, options, signal)
}

async function isServed(ports: Ports, digest: Digest): Promise<boolean> {
  return createRegistry(ports)
    .describeBlob(operator, { repository, digest })
    .then(
      () => true,
      () => false,
    )
}

test('several at once share the work, and none reads what another one does', async () => {
  await using opened = await interleavedPorts(() => Promise.resolve())
  const { ports } = opened
  for (let n = 0; n < 100; n++) await push(ports, randomContent(20_000))
  const opens = new Map<StorageKey, number>()
  const counting = new Proxy(opened.store, {
    get(target, name) {
      if (name !== 'open') return Reflect.get(target, name) as unknown
      return (key: StorageKey) => {
        opens.set(key, (opens.get(key) ?? 0) + 1)
        return target.open(key)
      }
    },
  })
  const watched = { ...ports, backends: new Map([[counting.backend, counting]]) }
  const before = await later(ports)
  const done = await Promise.all(Array.from({ length: 4 }, () => verify(watched, { before })))
  expect([...opens.values()]).toStrictEqual(Array.from({ length: 100 }, () => 1))
  expect(done.reduce((sum, { objects }) => sum + objects, 0)).toBe(100)
  expect(Math.max(...done.map(({ objects }) => objects))).toBeLessThan(100)
})

test('one that is stopped leaves the rest to the next, which begins there', async () => {
  await using opened = await openFaulty()
  const { ports } = opened
  for (let n = 0; n < 10; n++) await push(ports)
  const before = await later(ports)
  const stopping = new AbortController()
  let seen = 0
  const observer = { verified: () => (++seen === 4 ? stopping.abort() : undefined) }
  await expect(verify(ports, { before, signal: stopping.signal, observer })).rejects.toThrow('aborted')
  expect((await verify(ports, { before })).objects).toBe(6)
})

test('a backend that is away proves nothing', async () => {
  await using opened = await openFaulty()
  const { ports, store } = opened
  const digest = await push(ports)
  store.faults.away = true
  await expect(verify(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await isServed(ports, digest)).toBe(true)
  store.faults.away = false
  expect(await verify(ports)).toMatchObject({ objects: 1, damaged: [] })
})

test.each([
  ['reads', { failReadAt: 30_000 }],
  ['opening', { failOpen: true }],
  ['too many open files', { failOpen: true, readErrno: 'EMFILE' }],
])('a fault that may pass proves nothing: %s', async (_what, fault) => {
  await using opened = await openFaulty()
  const { ports, store } = opened
  const digest = await push(ports)
  const healthy = { ...store.faults }
  Object.assign(store.faults, fault)
  await expect(verify(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  Object.assign(store.faults, healthy)
  expect(await isServed(ports, digest)).toBe(true)
})

test.each([
  ['cannot be read', { failReadAt: 30_000, readErrno: 'EIO' }, 'damaged', /cannot be read/],
  ['cannot be opened', { failOpen: true, readErrno: 'EACCES' }, 'damaged', /cannot be read/],
  ['ends early', { endReadAt: 30_000 }, 'damaged', /30000 bytes instead of 40000/],
  ['has a wrong byte', { wrongByteAt: 30_000 }, 'damaged', /the content has the digest sha256:/],
])('an object that %s is marked, and good again once it can be read', async (_what, fault, state, cause) => {
  await using opened = await openFaulty()
  const { ports, store } = opened
  const digest = await push(ports)
  const healthy = { ...store.faults }
  Object.assign(store.faults, fault)
  const { damaged } = await verify(ports)
  expect(damaged).toMatchObject([{ digest, state, cause: expect.stringMatching(cause) as string }])
  expect(await isServed(ports, digest)).toBe(false)
  Object.assign(store.faults, healthy)
  const again = await verify(ports)
  expect(again).toMatchObject({ objects: 1, recovered: 1, damaged: [] })
  expect(await isServed(ports, digest)).toBe(true)
})

test.each([
  ['ended early', { endReadAt: 30_000 }],
  ['had a wrong byte', { wrongByteAt: 30_000 }],
  ['found nothing', { lost: true }],
])('one reading that %s is no damage when the next one is right', async (_what, fault) => {
  await using opened = await openFaulty()
  const { ports, store } = opened
  const digest = await push(ports)
  const healthy = { ...store.faults }
  let opens = 0
  const once = async (operation: string): Promise<void> => {
    if (operation === 'open') Object.assign(store.faults, ++opens === 1 ? fault : healthy)
  }
  Object.assign(store.faults, { beforeOperation: once })
  Object.assign(healthy, { beforeOperation: once })
  expect(await verify(ports)).toMatchObject({ objects: 1, damaged: [] })
  expect(opens).toBe(2)
  expect(await isServed(ports, digest)).toBe(true)
})

test('another good place is served when one is missing, and that is marked', async () => {
  await using opened = await interleavedPorts(() => Promise.resolve())
  const first = createMemoryBlobStore({ backend: 'aa' })
  const { settings } = opened.ports
  const backends = new Map([...opened.ports.backends, [first.backend, first] as const])
  const ports: Ports = { ...opened.ports, backends }
  const bytes = randomContent(40_000)
  const digest = await push(ports, bytes)
  await push({ ...ports, settings: { ...settings, backend: 'aa' } }, bytes)
  for await (const key of first.list('')) await first.delete(key)
  await using blob = await createRegistry(ports).openBlob(operator, { repository, digest })
  const found: Buffer[] = []
  for await (const chunk of blob.chunks ?? []) found.push(Buffer.from(chunk))
  expect(Buffer.concat(found).equals(bytes)).toBe(true)
  expect((await ports.metadata.listDamage({ after: null, limit: 9 })).items).toMatchObject([
    { state: 'missing', place: { backend: 'aa' }, served: true },
  ])
})

test('a row that disagrees with good bytes is corrected', async () => {
  await using opened = await openFaulty()
  const { ports } = opened
  const bytes = randomContent(1024 * 1024 + 5)
  const digest = await push(ports, bytes)
  const right = await createRegistry(ports).describeBlob(operator, { repository, digest })
  // As if somebody had written the row wrongly: what scrub is told differs from what the bytes give.
  const { metadata } = ports
  const wrong = new Proxy(metadata, {
    get(target, name) {
      if (name !== 'readLocation') return Reflect.get(target, name) as unknown
      return async (id: number) => ({
        bytes: null,
        ...(await target.readLocation(id)),
        leaves: new Uint8Array(64),
      })
    },
  })
  expect(await verify({ ...ports, metadata: wrong })).toMatchObject({
    mended: 1,
  })
  expect(await createRegistry(ports).describeBlob(operator, { repository, digest })).toStrictEqual(right)
  expect(await verify(ports)).toMatchObject({ objects: 1, mended: 0 })
})

test('the job counts what it reads, and logs damage with its repository', async () => {
  await using opened = await openFaulty()
  const { ports, store } = opened
  const digest = await push(ports)
  store.faults.wrongByteAt = 7
  const lines: [string, LogFields][] = []
  const log = {
    ...silentLogger,
    error: (event: string, fields: LogFields = {}) => void lines.push([event, fields]),
  }
  const metrics = createMetrics()
  // As if an interval had passed since, so that everything is due.
  const due = await later(ports)
  const metadata = new Proxy(ports.metadata, {
    get(target, name) {
      if (name === 'claimListing') return async () => null
      if (name !== 'databaseTime') return Reflect.get(target, name) as unknown
      return () => Promise.resolve(due + 5000)
    },
  })
  const job = scrubJob(
    { ...ports, metadata },
    { rate: 0, interval: 5000, observer: observeScrub(metrics, log) },
  )
  const report = await job.run({ payload: '', signal: new AbortController().signal })
  // What is wrong is read once more before it is called damaged.
  expect(report).toMatchObject({ objects: 1, bytes: 80_000, damaged: 1 })
  expect(lines).toMatchObject([
    ['scrub_damage', { repository: 'me/app', digest, backend: 'memory', state: 'damaged' }],
  ])
  expect(lines[0]?.[1]['key']).toMatch(/^[0-9a-f]{32}\/[0-9a-f]{32}$/)
  const text = JSON.stringify(await metrics.snapshot())
  for (const name of ['objects', 'bytes', 'damaged'])
    expect(text).toContain(`openregistry_scrub_${name}_total`)
})
