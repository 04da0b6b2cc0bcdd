import { operator, replicateJob, sweep, type Ports } from '@openregistry/core'
import { parseRepositoryName, type Digest } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { pullContent, pushContent, randomContent } from '../testing/content.ts'
import { crashAfter } from '../testing/crashing-ports.ts'
import { keysIn, unnamedIn } from '../testing/object-lists.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

const open = parseRepositoryName('me/app')
const closed = parseRepositoryName('me/secret')
const work = (ports: Ports) => replicateJob(ports).run({ payload: '', signal: new AbortController().signal })

/** Content lies on the disk; second copies are to be in the vault, and of what is public in the open. */
function openReplicated(): Promise<SeveralBackends> {
  return openSeveralBackends({ backend: 'disk', replicas: ['vault', 'open'] })
}

async function push(
  { registry }: SeveralBackends,
  repository = open,
  size = 50_000,
): Promise<[Digest, Uint8Array]> {
  const bytes = randomContent(size)
  return [await pushContent(registry, repository, bytes), bytes]
}

async function makeClosed({ registry }: SeveralBackends): Promise<void> {
  await pushContent(registry, closed, new Uint8Array(10))
  await registry.setVisibility(operator, { repository: closed, visibility: 'private' })
}

test('what is new has copies in every backend where it may lie, and is read there when the first one is away', async () => {
  await using opened = await openReplicated()
  const { registry, ports, store } = opened
  await makeClosed(opened)
  const [one, bytes] = await push(opened)
  const [secret, secrets] = await push(opened, closed)
  expect(await work(ports)).toStrictEqual({ blobs: 3, size: 150_000, unreadable: 0 })
  expect(await work(ports)).toBeNull()
  expect([(await keysIn(store.vault)).length, (await keysIn(store.open)).length]).toStrictEqual([2, 1])
  store.disk.faults.away = true
  expect(await pullContent(registry, open, one)).toStrictEqual(bytes)
  expect(await pullContent(registry, closed, secret)).toStrictEqual(secrets)
  store.open.faults.away = true
  expect(await pullContent(registry, open, one)).toStrictEqual(bytes)
})

test('a backend that takes nothing holds up no other, and gets its copies later', async () => {
  await using opened = await openReplicated()
  const { ports, store } = opened
  await push(opened)
  store.vault.faults.away = true
  await expect(work(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await keysIn(store.open)).toHaveLength(1)
  store.vault.faults.away = false
  expect(await work(ports)).toMatchObject({ blobs: 1 })
})

test('what cannot be read now is tried again', async () => {
  await using opened = await openReplicated()
  const { ports, store } = opened
  const [digest, bytes] = await push(opened)
  store.disk.faults.away = true
  expect(await work(ports)).toMatchObject({ blobs: 0, unreadable: 2 })
  store.disk.faults.away = false
  expect(await work(ports)).toMatchObject({ blobs: 2, unreadable: 0 })
  store.disk.faults.away = true
  expect(await pullContent(opened.registry, open, digest)).toStrictEqual(bytes)
})

test('stopped at any point it goes on, and leaves nothing', async () => {
  await using opened = await openReplicated()
  for (let point = 1, killed = true; killed; point++) {
    const [digest, bytes] = await push(opened, open, 20_000)
    const crashing = crashAfter(opened.ports, point)
    await work(crashing.ports).catch((error: unknown) => {
      if (!crashing.crashed()) throw error
    })
    killed = crashing.crashed()
    await work(opened.ports)
    for (const backend of ['disk', 'open'] as const) {
      opened.store[backend].faults.away = true
      expect(await pullContent(opened.registry, open, digest)).toStrictEqual(bytes)
      opened.store[backend].faults.away = false
    }
    if (!killed) expect(point).toBeGreaterThan(15)
  }
  await sweep(opened.ports)
  for (const backend of ['vault', 'open'] as const) expect(await unnamedIn(opened, backend)).toStrictEqual([])
})

test('a copy on its way into a public backend keeps the repository public; a closed one gets none', async () => {
  await using opened = await openReplicated()
  const { registry, ports, store } = opened
  await push(opened)
  const close = () => registry.setVisibility(operator, { repository: open, visibility: 'private' })
  const refusals: unknown[] = []
  store.open.faults.beforeChunk = async (direction) => {
    if (direction === 'write') await close().catch((error: unknown) => refusals.push(error))
  }
  await work(ports)
  expect(refusals.length).toBeGreaterThan(0)
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'CONFLICT', detail: { uploads: 1 } })
  await expect(close()).rejects.toMatchObject({ code: 'CONFLICT', detail: { blobs: 1, uploads: 0 } })
})
