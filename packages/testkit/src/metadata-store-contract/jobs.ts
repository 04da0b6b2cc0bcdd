import { describe, expect, test } from 'vitest'
import type { JobLease, LeasedJob, MetadataStore } from '@openregistry/core'
import { hour } from './actions.ts'
import { randomWord } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** The queue of the background. Tests keep apart by kinds of their own. */
export function jobTests(open: OpenMetadataStore): void {
  const store = sharedStore(open)

  describe('a job', () => {
    test('is leased once, and goes when it is done', async () => {
      const kind = await enqueued(store())
      const { job, held } = await leased(store(), kind)
      expect(job).toStrictEqual({ id: job.id, kind, key: null, payload: '{"a":1}', attempts: 1 })
      expect(await lease(store(), kind)).toBeNull()
      expect(await states(store(), kind)).toStrictEqual(['running'])
      expect(await store().finishJob(held, null)).toBe(true)
      expect(await states(store(), kind)).toStrictEqual([])
    })

    test('waits until it is due', async () => {
      const kind = await enqueued(store(), { delay: hour })
      expect(await lease(store(), kind)).toBeNull()
      expect(await states(store(), kind)).toStrictEqual(['waiting'])
    })

    test('is given to those who do its kind, the one due longest first', async () => {
      const [first, second] = [await enqueued(store(), { delay: -2000 }), await enqueued(store())]
      const third = await enqueued(store(), { delay: -1000 })
      const token = randomWord()
      const kinds = [second, third, first, 'unknown']
      const order: (string | undefined)[] = []
      for (let n = 0; n < 4; n++) order.push((await store().leaseJob({ kinds, token, lease: hour }))?.kind)
      expect(order).toStrictEqual([first, third, second, undefined])
      expect(await store().leaseJob({ kinds: [], token, lease: hour })).toBeNull()
    })

    test('goes to one of many who ask at once', async () => {
      for (let turn = 0; turn < 10; turn++) {
        const kind = await enqueued(store())
        const asked = await Promise.all(Array.from({ length: 8 }, () => lease(store(), kind)))
        expect(asked.filter((one) => one !== null)).toHaveLength(1)
      }
    })

    test('begins again when its lease ends, and whoever had it changes nothing any more', async () => {
      const kind = await enqueued(store())
      const dead = await leased(store(), kind, 0)
      const { job, held } = await leased(store(), kind)
      expect(job).toMatchObject({ id: dead.job.id, attempts: 2 })
      expect(await store().extendJob(dead.held, hour)).toBe(false)
      expect(await store().failJob(dead.held, 'late', null)).toBe(false)
      expect(await store().finishJob(dead.held, null)).toBe(false)
      expect(await states(store(), kind)).toStrictEqual(['running'])
      expect(await store().finishJob(held, null)).toBe(true)
    })

    test('is held as long as its lease is extended', async () => {
      const kind = await enqueued(store())
      const { held } = await leased(store(), kind, 0)
      expect(await store().extendJob(held, hour)).toBe(true)
      expect(await lease(store(), kind)).toBeNull()
      expect(await store().extendJob({ ...held, id: 987_654_321 }, hour)).toBe(false)
    })

    test('is tried again, with what went wrong, until it is given up', async () => {
      const kind = await enqueued(store())
      const first = await leased(store(), kind)
      expect(await store().failJob(first.held, 'disk away', 0)).toBe(true)
      expect(await jobsOf(store(), kind)).toMatchObject([
        { state: 'waiting', error: 'disk away', attempts: 1 },
      ])
      const second = await leased(store(), kind)
      expect(second.job.attempts).toBe(2)
      expect(await store().failJob(second.held, 'still', hour)).toBe(true)
      expect(await lease(store(), kind)).toBeNull()
      const other = await enqueued(store())
      expect(await store().failJob((await leased(store(), other)).held, 'broken', null)).toBe(true)
      expect(await jobsOf(store(), other)).toMatchObject([{ state: 'failed', error: 'broken' }])
      expect(await lease(store(), other)).toBeNull()
    })
  })

  describe('a job with a key', () => {
    test('waits once, at the earlier time, with the newer payload', async () => {
      const kind = await enqueued(store(), { key: 'k', delay: hour })
      await enqueued(store(), { kind, key: 'k', payload: 'new' })
      await enqueued(store(), { kind, key: 'other', delay: hour })
      expect(await states(store(), kind)).toStrictEqual(['waiting', 'waiting'])
      expect((await leased(store(), kind)).job).toMatchObject({ key: 'k', payload: 'new' })
      await enqueued(store(), { kind, key: 'other', delay: 2 * hour, payload: 'newer' })
      expect(await lease(store(), kind)).toBeNull()
    })

    test('is done once more when it was asked for while it was done', async () => {
      const kind = await enqueued(store(), { key: 'k' })
      const { held } = await leased(store(), kind)
      await enqueued(store(), { kind, key: 'k', payload: 'again' })
      expect(await lease(store(), kind)).toBeNull()
      expect(await store().finishJob(held, null)).toBe(true)
      const second = await leased(store(), kind)
      expect(second.job).toMatchObject({ payload: 'again', attempts: 1 })
      expect(await store().finishJob(second.held, null)).toBe(true)
      expect(await states(store(), kind)).toStrictEqual([])
    })

    test('is not given up when it was asked for meanwhile', async () => {
      const kind = await enqueued(store(), { key: 'k' })
      const { held } = await leased(store(), kind)
      await enqueued(store(), { kind, key: 'k' })
      await store().failJob(held, 'broken', null)
      expect((await leased(store(), kind)).job.attempts).toBe(1)
    })

    test('that was given up begins anew when it is asked for', async () => {
      const kind = await enqueued(store(), { key: 'k' })
      await store().failJob((await leased(store(), kind)).held, 'broken', null)
      await enqueued(store(), { kind, key: 'k' })
      expect((await leased(store(), kind)).job.attempts).toBe(1)
    })

    test('can be asked for by many at once', async () => {
      const kind = randomWord()
      await Promise.all(Array.from({ length: 8 }, () => enqueued(store(), { kind, key: 'k' })))
      expect(await states(store(), kind)).toStrictEqual(['waiting'])
    })
  })

  describe('a periodic job', () => {
    test('is there once, and due again after its period', async () => {
      const kind = randomWord()
      await Promise.all(Array.from({ length: 4 }, () => store().scheduleJob(kind, 0)))
      expect(await states(store(), kind)).toStrictEqual(['waiting'])
      const { job, held } = await leased(store(), kind)
      expect(job).toMatchObject({ kind, key: '', payload: '' })
      await store().scheduleJob(kind, 0)
      expect(await states(store(), kind)).toStrictEqual(['running'])
      expect(await store().finishJob(held, hour)).toBe(true)
      await store().scheduleJob(kind, hour)
      expect(await states(store(), kind)).toStrictEqual(['waiting'])
      expect(await lease(store(), kind)).toBeNull()
    })

    test('comes sooner when its period becomes shorter, and not later when it becomes longer', async () => {
      const kind = randomWord()
      await store().scheduleJob(kind, hour)
      await store().scheduleJob(kind, 0)
      await store().scheduleJob(kind, hour)
      expect(await lease(store(), kind)).not.toBeNull()
    })

    test('can be asked for before its time', async () => {
      const kind = randomWord()
      await store().scheduleJob(kind, hour)
      await enqueued(store(), { kind, key: '' })
      const { held } = await leased(store(), kind)
      await enqueued(store(), { kind, key: '' })
      expect(await store().finishJob(held, hour)).toBe(true)
      expect((await leased(store(), kind)).job.attempts).toBe(1)
    })
  })
}

/** Asks for a job, of a new kind unless one is named; returns its kind. */
async function enqueued(
  store: MetadataStore,
  over: { kind?: string; key?: string; payload?: string; delay?: number } = {},
): Promise<string> {
  const { kind = randomWord(), key = null, payload = '{"a":1}', delay = 0 } = over
  await store.enqueueJob({ kind, key, payload, delay })
  return kind
}

function lease(store: MetadataStore, kind: string): Promise<LeasedJob | null> {
  return store.leaseJob({ kinds: [kind], token: randomWord(), lease: hour })
}

/** Leases a job that has to be due. */
async function leased(
  store: MetadataStore,
  kind: string,
  forTime = hour,
): Promise<{ job: LeasedJob; held: JobLease }> {
  const token = randomWord()
  const job = await store.leaseJob({ kinds: [kind], token, lease: forTime })
  if (job === null) throw new Error(`No job of the kind ${kind} is due.`)
  return { job, held: { id: job.id, token } }
}

async function jobsOf(store: MetadataStore, kind: string): ReturnType<MetadataStore['listJobs']> {
  return (await store.listJobs(1000)).filter((job) => job.kind === kind)
}

async function states(store: MetadataStore, kind: string): Promise<string[]> {
  return (await jobsOf(store, kind)).map(({ state }) => state)
}
