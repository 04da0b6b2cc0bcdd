import { describe, expect, test } from 'vitest'
import { RegistryError } from '@openregistry/oci'
import type { CollectionStep } from '../ports/collection.ts'
import type { PendingDelete } from '../ports/metadata-store.ts'
import { newStorageKey, newUploadId } from '../ports/storage-key.ts'
import type { Ports } from '../settings.ts'
import { collectJob } from './collect-job.ts'
import { collect, type Collection } from './collect.ts'
import { deletePending } from './delete-pending.ts'

const nothing: CollectionStep = { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0, more: false }

/** A database whose steps are a script, and a backend that refuses what it is told to. */
function createPorts({ links = 0, pending = 0, refuses = () => false }: Partial<Script> = {}) {
  const calls: string[] = []
  const queue: PendingDelete[] = Array.from({ length: pending }, (_, n) => ({
    id: n + 1,
    backend: 'disk',
    key: newStorageKey(newUploadId()),
  }))
  const deleted = new Set<string>()
  const state = { links, compactions: 2, under: 0, most: 0, asked: 0, away: false }
  const step = (name: string) => async () => {
    calls.push(name)
    return nothing
  }
  const metadata = {
    emptyRepositories: step('repositories'),
    collectManifests: step('manifests'),
    async collectLinks({ limit }: { limit: number }) {
      calls.push('links')
      const taken = Math.min(limit, state.links)
      state.links -= taken
      return { ...nothing, links: taken, more: state.links > 0 }
    },
    collectBlobs: step('blobs'),
    async compact() {
      calls.push('compact')
      return --state.compactions > 0
    },
    async listPendingDeletes(limit: number, after = 0) {
      return queue.filter(({ id }) => id > after).slice(0, limit)
    },
    async forgetPendingDeletes(ids: number[]) {
      for (const id of ids)
        queue.splice(
          queue.findIndex((one) => one.id === id),
          1,
        )
    },
  }
  const store = {
    async check() {
      if (state.away) throw new RegistryError('STORAGE_UNAVAILABLE')
    },
    async delete(key: string) {
      state.asked++
      state.most = Math.max(state.most, ++state.under)
      await new Promise((resolve) => setImmediate(resolve))
      state.under--
      if (refuses(queue.findIndex((one) => one.key === key))) throw new RegistryError('STORAGE_UNAVAILABLE')
      deleted.add(key)
    },
  }
  const ports = { metadata, backends: new Map([['disk', store]]), settings: { grace: 5 } } as unknown as Ports
  return { ports, calls, queue, deleted, state }
}

interface Script {
  links: number
  pending: number
  /** Whether the backend refuses the object at this place of the queue. */
  refuses: (index: number) => boolean
}

describe('collect', () => {
  test('takes steps until none finds anything, in an order in which each feeds the next, then shrinks', async () => {
    const { ports, calls } = createPorts({ links: 1 })
    expect(await collect(ports)).toMatchObject({ links: 1, objects: 0 })
    const round = ['repositories', 'manifests', 'links', 'blobs']
    // What had something is asked again at once, everything else when that has no more.
    expect(calls).toStrictEqual([...round, 'links', 'blobs', ...round, 'compact', 'compact'])
  })

  test('says how far it is', async () => {
    const { ports } = createPorts({ links: 500, pending: 3 })
    const seen: Collection[] = []
    const done = await collect(ports, undefined, { progress: (soFar) => seen.push({ ...soFar }) })
    expect(done).toMatchObject({ links: 500, objects: 3 })
    expect(seen.at(-1)).toStrictEqual(done)
    expect(seen.some(({ links }) => links > 0 && links < 500)).toBe(true)
  })

  test('stops after the step that is under way', async () => {
    const stopping = new AbortController()
    const { ports, calls, state } = createPorts({ links: 10_000, pending: 10 })
    await collect(ports, stopping.signal, { progress: ({ links }) => links > 0 && stopping.abort() })
    expect(calls).toStrictEqual(['repositories', 'manifests', 'links'])
    expect(state.links).toBeGreaterThan(0)
  })

  test('goes on with rows when a backend is away, and says so at the end', async () => {
    const { ports, state, calls } = createPorts({ links: 1000, pending: 1, refuses: () => true })
    await expect(collect(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(state.links).toBe(0)
    expect(calls.at(-1)).toBe('compact')
  })
})

describe('collectJob', () => {
  test('reports what it did, and nothing when that was nothing', async () => {
    const { ports } = createPorts({ links: 300, pending: 2 })
    let counted = 0
    const job = collectJob(ports, ({ links }) => (counted += links))
    const signal = new AbortController().signal
    const report = await job.run({ payload: '', signal })
    expect(report).toMatchObject({ links: 300, objects: 2, size: 0 })
    expect(counted).toBe(300)
    expect(await job.run({ payload: '', signal })).toBeNull()
  })
})

describe('deletePending', () => {
  test('deletes everything, several at once and not too many', async () => {
    const { ports, queue, deleted, state } = createPorts({ pending: 1000 })
    expect(await deletePending(ports)).toBe(1000)
    expect([queue.length, deleted.size]).toStrictEqual([0, 1000])
    expect(state.most).toBeGreaterThan(1)
    expect(state.most).toBeLessThanOrEqual(16)
  })

  test('is held up by no object that cannot be deleted, and keeps it', async () => {
    const { ports, queue, deleted } = createPorts({ pending: 700, refuses: (index) => index < 300 })
    const refused = queue.slice(0, 300).map(({ key }) => key)
    await expect(deletePending(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(deleted.size).toBe(400)
    expect(queue.map(({ key }) => key)).toStrictEqual(refused)
  })

  test('asks a backend that is away no more than a few hundred times', async () => {
    const { ports, queue, state } = createPorts({ pending: 5000, refuses: () => true })
    state.away = true
    await expect(deletePending(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(queue).toHaveLength(5000)
    expect(state.asked).toBeLessThan(300)
  })

  test('keeps objects of a backend that is not configured any more', async () => {
    const { ports, queue } = createPorts({ pending: 2 })
    queue[0]!.backend = 'elsewhere'
    await expect(deletePending(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect(queue.map(({ backend }) => backend)).toStrictEqual(['elsewhere'])
  })

  test('stops when it is told to', async () => {
    const { ports, queue } = createPorts({ pending: 10 })
    expect(await deletePending(ports, AbortSignal.abort())).toBe(0)
    expect(queue).toHaveLength(10)
  })
})
