import { moveJob, operator, sweep, type Move, type Ports } from '@openregistry/core'
import { parseRepositoryName, type Digest } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { pullContent, pushContent, randomContent } from '../testing/content.ts'
import { crashAfter } from '../testing/crashing-ports.ts'
import { keysIn, unnamedIn } from '../testing/object-lists.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

const name = parseRepositoryName('me/app')
const other = parseRepositoryName('you/base')
const never = new AbortController().signal

/** One run of the job, as the runner would make it. */
async function work(ports: Ports, repository = name): Promise<unknown> {
  const { id } = (await ports.metadata.findRepository(repository))!
  return moveJob(ports).run({ payload: id, signal: never })
}

async function moveOf({ registry }: SeveralBackends, repository = name): Promise<Move> {
  const { move } = await registry.getMove(operator, { repository })
  if (move === null) throw new Error('It was never moved.')
  return move
}

const begin = ({ registry }: SeveralBackends, { backend = 'disk', rate = 0, repository = name } = {}) =>
  registry.moveRepository(operator, { repository, backend, rate })

/** Pushes some content. */
async function pushSome(
  opened: SeveralBackends,
  sizes = [20_000, 1_200_000, 30_000],
  repository = name,
): Promise<Map<Digest, Uint8Array>> {
  const pushed = new Map<Digest, Uint8Array>()
  for (const bytes of sizes.map(randomContent))
    pushed.set(await pushContent(opened.registry, repository, bytes), bytes)
  return pushed
}

async function expectAll(
  { registry }: SeveralBackends,
  pushed: ReadonlyMap<Digest, Uint8Array>,
  repository = name,
): Promise<void> {
  for (const [digest, bytes] of pushed)
    expect(await pullContent(registry, repository, digest)).toStrictEqual(bytes)
}

test('everything goes to the new backend, nothing stays in the old one, and the repository may be private then', async () => {
  await using opened = await openSeveralBackends()
  const { registry, store, ports } = opened
  const pushed = await pushSome(opened)
  const small = randomContent(100)
  pushed.set(await pushContent(registry, name, small), small)
  expect(await keysIn(store.open)).toHaveLength(3)
  const close = { repository: name, visibility: 'private' } as const
  await expect(registry.setVisibility(operator, close)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await begin(opened)).toMatchObject({ backend: 'disk', move: { state: 'running', total: null } })
  expect(await work(ports)).toMatchObject({ blobs: 3, size: 1_250_000, ended: 'true' })
  expect(await moveOf(opened)).toMatchObject({
    state: 'done',
    total: { blobs: 3, bytes: 1_250_000 },
    done: { blobs: 3, bytes: 1_250_000 },
    underWay: 0,
  })
  expect(await keysIn(store.open)).toStrictEqual([])
  expect(await keysIn(store.disk)).toHaveLength(3)
  store.open.faults.away = true
  await expectAll(opened, pushed)
  expect(await registry.setVisibility(operator, close)).toMatchObject({ visibility: 'private' })
  await pushSome(opened, [40_000])
  expect(await keysIn(store.disk)).toHaveLength(4)
  const back = registry.moveRepository(operator, { repository: name, backend: 'open', rate: 0 })
  await expect(back).rejects.toMatchObject({ code: 'CONFLICT' })
})

test('what another repository has in the old backend stays there', async () => {
  await using opened = await openSeveralBackends()
  const bytes = randomContent(50_000)
  const digest = await pushContent(opened.registry, name, bytes)
  await pushContent(opened.registry, other, bytes)
  await begin(opened)
  await work(opened.ports)
  expect(await keysIn(opened.store.open)).toHaveLength(1)
  for (const backend of ['open', 'disk'] as const) {
    opened.store[backend].faults.away = true
    expect(await pullContent(opened.registry, name, digest)).toStrictEqual(bytes)
    opened.store[backend].faults.away = false
  }
})

test('a move that is killed at any point goes on, loses nothing, and leaves nothing', async () => {
  await using opened = await openSeveralBackends()
  for (let point = 1, killed = true; killed; point++) {
    const repository = parseRepositoryName(`me/app-${point}`)
    const pushed = await pushSome(opened, [20_000, 30_000], repository)
    await begin(opened, { repository })
    const crashing = crashAfter(opened.ports, point)
    await work(crashing.ports, repository).catch((error: unknown) => {
      if (!crashing.crashed()) throw error
    })
    killed = crashing.crashed()
    await expectAll(opened, pushed, repository)
    expect(await work(opened.ports, repository)).toMatchObject({ ended: 'true' })
    await expectAll(opened, pushed, repository)
    const done = { blobs: 2, bytes: 50_000 }
    expect(await moveOf(opened, repository)).toMatchObject({ state: 'done', done })
    if (!killed) expect(point).toBeGreaterThan(20)
  }
  await sweep(opened.ports)
  expect(await keysIn(opened.store.open)).toStrictEqual([])
  expect(await unnamedIn(opened, 'disk')).toStrictEqual([])
})

test('a backend that gives back other bytes than it was given gets no rows', async () => {
  await using opened = await openSeveralBackends()
  const pushed = await pushSome(opened, [70_000])
  await begin(opened)
  opened.store.disk.faults.wrongByteAt = 69_999
  await expect(work(opened.ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await moveOf(opened)).toMatchObject({
    state: 'running',
    done: { blobs: 0 },
    error: expect.stringContaining('gives back other bytes') as string,
  })
  expect(await keysIn(opened.store.disk)).toStrictEqual([])
  opened.store.disk.faults.endReadAt = 100
  await expect(work(opened.ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  Object.assign(opened.store.disk.faults, { wrongByteAt: null, endReadAt: null })
  await expectAll(opened, pushed)
  expect(await work(opened.ports)).toMatchObject({ ended: 'true' })
  await expectAll(opened, pushed)
  expect(await moveOf(opened)).toMatchObject({ state: 'done', error: null })
})

test('what is damaged is read elsewhere, or said to be missing; the rest is moved', async () => {
  await using opened = await openSeveralBackends()
  const pushed = await pushSome(opened, [40_000, 50_000])
  const [lost, kept] = [...pushed.keys()]
  const [key] = await keysIn(opened.store.open)
  opened.store.open.faults.only = (one) => one === key
  opened.store.open.faults.wrongByteAt = 7
  await begin(opened)
  expect(await work(opened.ports)).toMatchObject({ blobs: 1, unreadable: 1, ended: 'true' })
  expect(await moveOf(opened)).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('scrub --repair') as string,
  })
  expect(await pullContent(opened.registry, name, kept!)).toStrictEqual(pushed.get(kept!))
  await expect(pullContent(opened.registry, name, lost!)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
  // Pushed again, it goes to the new backend, and the damaged object is given up.
  await pushContent(opened.registry, name, pushed.get(lost!)!)
  expect(await work(opened.ports)).toMatchObject({ ended: 'true' })
  expect(await keysIn(opened.store.open)).toStrictEqual([])
})

test('an old backend that is away holds up what only it has, and nothing else', async () => {
  await using opened = await openSeveralBackends({ namespaces: { you: 'vault' } })
  const pushed = await pushSome(opened, [40_000, 50_000])
  const [here, there] = [...pushed.keys()]
  await pushContent(opened.registry, other, pushed.get(there!)!)
  opened.store.open.faults.away = true
  await begin(opened)
  await expect(work(opened.ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await moveOf(opened)).toMatchObject({ state: 'running', done: { blobs: 1 } })
  expect(await pullContent(opened.registry, name, there!)).toStrictEqual(pushed.get(there!))
  await expect(pullContent(opened.registry, name, here!)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  })
  opened.store.open.faults.away = false
  expect(await work(opened.ports)).toMatchObject({ ended: 'true' })
  await expectAll(opened, pushed)
})

test('a full backend stops it; it goes on when there is space', async () => {
  await using opened = await openSeveralBackends()
  const pushed = await pushSome(opened, [20_000, 90_000])
  opened.store.disk.faults.fullAfter = 50_000
  await begin(opened)
  await expect(work(opened.ports)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  expect(await moveOf(opened)).toMatchObject({ state: 'running', error: expect.any(String) as string })
  await expectAll(opened, pushed)
  opened.store.disk.faults.fullAfter = null
  expect(await work(opened.ports)).toMatchObject({ ended: 'true' })
  expect(await moveOf(opened)).toMatchObject({ state: 'done', done: { blobs: 2 } })
})

test('what is pushed meanwhile ends where it belongs', async () => {
  await using opened = await openSeveralBackends()
  const { registry, store, ports } = opened
  const pushed = await pushSome(opened)
  const before = await registry.openUpload(operator, { repository: name, algorithm: null })
  await begin(opened, { backend: 'vault' })
  await begin(opened, { backend: 'vault' })
  let pushing = false
  store.vault.faults.beforeChunk = async () => {
    if (pushing) return
    pushing = true
    for (const [digest, bytes] of await pushSome(opened, [25_000, 26_000])) pushed.set(digest, bytes)
  }
  expect(await work(ports)).toMatchObject({ ended: 'true' })
  await expectAll(opened, pushed)
  expect(await keysIn(store.open)).toStrictEqual([])
  expect(await keysIn(store.vault)).toHaveLength(pushed.size)
  // The upload that had begun in the public backend was ended with the move.
  const status = registry.uploadStatus(operator, { repository: name, id: before.id })
  await expect(status).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
})

test('it can be stopped in the middle of a blob', async () => {
  await using opened = await openSeveralBackends()
  const { registry, store, ports } = opened
  const pushed = await pushSome(opened, [20_000])
  await begin(opened)
  store.disk.faults.beforeChunk = async (direction) => {
    if (direction === 'write' && (await moveOf(opened)).state === 'running')
      await registry.cancelMove(operator, { repository: name })
  }
  await work(ports)
  expect(await moveOf(opened)).toMatchObject({ state: 'cancelled', done: { blobs: 0 } })
  const gone = registry.cancelMove(operator, { repository: name })
  await expect(gone).rejects.toMatchObject({ code: 'CONFLICT' })
  await sweep(ports)
  expect(await keysIn(store.disk)).toStrictEqual([])
  await expectAll(opened, pushed)
  expect(await work(ports)).toBeNull()
})

test('the rate is kept, and bytes under way are seen', async () => {
  await using opened = await openSeveralBackends()
  await pushSome(opened, [200_000])
  await begin(opened, { rate: 100_000 })
  const seen = new Set<number>()
  const startedAt = performance.now()
  const done = work(opened.ports)
  for (let over = false; !over;) {
    over = await Promise.race([
      done.then(() => true),
      new Promise<false>((resolve) => setTimeout(resolve, 50, false)),
    ])
    seen.add((await moveOf(opened)).underWay)
  }
  // The last chunk need not be waited for.
  expect(performance.now() - startedAt).toBeGreaterThan(1000)
  expect([...seen].some((bytes) => bytes > 0 && bytes < 200_000)).toBe(true)
  expect(await moveOf(opened)).toMatchObject({ state: 'done', underWay: 0 })
})

test('nobody else may, and there has to be such a backend', async () => {
  await using opened = await openSeveralBackends()
  const { registry } = opened
  const move = { repository: name, backend: 'disk', rate: 0 }
  await expect(registry.moveRepository(operator, move)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
  await expect(registry.getMove(operator, move)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
  await pushSome(opened, [10])
  expect(await registry.getMove(operator, move)).toStrictEqual({ backend: null, move: null })
  const elsewhere = registry.moveRepository(operator, { ...move, backend: 'moon' })
  await expect(elsewhere).rejects.toMatchObject({ code: 'PARAMETER_INVALID' })
  const anonymous = { kind: 'anonymous' } as const
  for (const asked of [
    registry.moveRepository(anonymous, move),
    registry.getMove(anonymous, move),
    registry.cancelMove(anonymous, move),
  ]) {
    await expect(asked).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  }
})
