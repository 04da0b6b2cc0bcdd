import { describe, expect, test } from 'vitest'
import { newBackendIdentity, type BackendIdentity } from '../ports/backend-identity.ts'
import { newStorageKey, newUploadId } from '../ports/storage-key.ts'
import { adoptBackend, examineAdoption } from './adopt-backend.ts'
import { Disk, KnownBackend, MountableBackend } from './mountable-backend.ts'
import { examineTie, requireTied, tieBackend } from './tie-backend.ts'

const noWait = 0

/** What a database and a backend are when a server starts; each may be anything. */
interface State {
  /** Objects that both have. */
  shared?: number
  /** Objects that the database alone names. */
  missing?: number
  /** Rows that say that an object is damaged or missing. */
  damaged?: number
  /** Objects that the backend alone has. */
  surplus?: number
  database?: 'tied'
  backend?: 'the same' | 'another'
}

function create({ shared = 0, missing = 0, damaged = 0, surplus = 0, database, backend }: State) {
  const disk = new Disk()
  const known = new KnownBackend()
  known.keys = [...disk.fill(shared), ...Array.from({ length: missing }, () => newStorageKey(newUploadId()))]
  known.damaged = damaged
  disk.fill(surplus)
  const identity = newBackendIdentity()
  if (database === 'tied') known.identity = identity
  if (backend === 'the same') disk.identity = identity
  if (backend === 'another') disk.identity = newBackendIdentity()
  const before = { known: known.identity, held: disk.identity }
  return { disk, known, store: new MountableBackend(disk), before }
}

/** The same backend as a service where a claim writes over what is there. */
function overwriting(store: MountableBackend, claims: Set<BackendIdentity>): MountableBackend {
  const { disk } = store
  return Object.assign(new MountableBackend(disk), {
    claim: async (identity: BackendIdentity) => {
      claims.add(identity)
      return (disk.identity = identity)
    },
    concede: async (identity: BackendIdentity) => {
      if (claims.has(identity)) disk.identity = identity
    },
  })
}

describe('tieBackend', () => {
  test.each<[string, State]>([
    ['the first start', {}],
    ['the first start, that another one was killed in', { backend: 'another' }],
    ['the first start after an upgrade', { shared: 40 }],
    ['the same, with left-overs', { shared: 40, surplus: 30 }],
    ['the same, where an object of a few was lost', { shared: 2, missing: 1 }],
    ['the same, where some of many were lost', { shared: 3000, missing: 60 }],
    ['any other start', { shared: 5, database: 'tied', backend: 'the same' }],
    ['a start after everything was lost', { missing: 90, database: 'tied', backend: 'the same' }],
    ['a start after everything was deleted', { database: 'tied', backend: 'the same' }],
  ])('%s: the two belong together from then on', async (_what, state) => {
    const { disk, known, store, before } = create(state)
    const free = before.known === null
    expect(await examineTie(known, store)).toBe(free ? 'free' : 'tied')
    expect({ known: known.identity, held: disk.identity }).toStrictEqual(before)
    const ownership = await tieBackend(known, store, noWait)
    await ownership.confirm()
    expect(known.identity).toMatch(/^[0-9a-f]{32}$/)
    expect(disk.identity).toBe(known.identity)
    if (before.held !== null) expect(disk.identity).toBe(before.held)
    await requireTied(known, store)
  })

  test.each<[string, State, RegExp]>([
    ['a mount that is missing', { missing: 5, database: 'tied' }, /is not there, or has no registry\.id/],
    ['the same of a registry without objects', { database: 'tied' }, /has no registry\.id/],
    ['a copy without its identity', { shared: 5, database: 'tied' }, /has no registry\.id/],
    ['another registry', { database: 'tied', backend: 'another' }, /another one than the database knows/],
    ['a clone', { shared: 5, database: 'tied', backend: 'another' }, /another one than the database knows/],
    ['a missing mount at an upgrade', { missing: 5 }, /5 of 5 objects .* are not there/],
    ['a single object that is missing', { missing: 1 }, /1 of 1 objects/],
    ['half of a folder at an upgrade', { shared: 20, missing: 20 }, /20 of 40 objects/],
    ['a sample of half a folder', { shared: 2000, missing: 2000 }, /objects .* are not there/],
    ['damage alone', { damaged: 5 }, /no good object/],
    ['a new database on old objects', { surplus: 5 }, /holds objects of another registry/],
    [
      'the same, tied by another one',
      { surplus: 5, backend: 'another' },
      /holds objects of another registry/,
    ],
    [
      'an old database on a folder that has another one',
      { shared: 5, backend: 'another' },
      /another registry/,
    ],
    ['an old database on a new folder of others', { missing: 5, backend: 'another' }, /another registry/],
  ])('%s: is refused, and nothing is changed', async (_what, state, reason) => {
    const { disk, known, store, before } = create(state)
    await expect(examineTie(known, store)).rejects.toThrow(reason)
    const refusal = await tieBackend(known, store, noWait).then(
      () => 'not refused',
      (error: Error) => error.message,
    )
    expect(refusal).toMatch(reason)
    expect(refusal).toContain('the folder /blobs')
    expect(refusal).toContain('run "openregistry adopt --backend disk"')
    expect(refusal).not.toContain('killed')
    expect({ known: known.identity, held: disk.identity }).toStrictEqual(before)
  })

  test('of servers that start at once on one folder all go on, and no two have one of their own', async () => {
    for (const state of [{}, { shared: 20 }]) {
      const { known, store } = create(state)
      const shared = [store, new MountableBackend(store.disk), new MountableBackend(store.disk)]
      // Long enough for the others, who need no time at all.
      await Promise.all(shared.map((one) => tieBackend(known, one)))
      expect(store.disk.identity).toBe(known.identity)
    }
    const { known, store } = create({})
    const apart = [store, new MountableBackend(), new MountableBackend()]
    const started = await Promise.allSettled(apart.map((one) => tieBackend(known, one, noWait)))
    expect(started.map(({ status }) => status).toSorted()).toStrictEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ])
  })

  test('a server that comes while another one has tied them and takes its first push goes on', async () => {
    const { disk, known, store } = create({})
    let looks = 0
    const late = Object.assign(new KnownBackend(), {
      findBackendIdentity: async () => known.identity,
      // It has seen neither identity; before it looks for objects, the first one is there, and not yet in a row.
      namesObjects: async () => {
        if (looks++ === 0) {
          await tieBackend(known, new MountableBackend(disk), noWait)
          disk.fill(1)
        }
        return false
      },
    })
    await tieBackend(late, store, noWait)
    expect(disk.identity).toBe(known.identity)
    expect(looks).toBe(1)
  })

  test('a server that has claimed over another one puts its identity back, on the same backend alone', async () => {
    for (const same of [true, false]) {
      const { known, store } = create({})
      const claims = new Set<BackendIdentity>()
      const first = overwriting(store, claims)
      await tieBackend(known, first)
      // The second one saw neither identity before it wrote its own.
      const late = overwriting(same ? store : new MountableBackend(), same ? claims : new Set())
      let reads = 0
      const blind = Object.assign(late, {
        readIdentity: async () => (reads++ === 0 ? null : late.disk.identity),
      })
      let looks = 0
      const unaware = Object.assign(new KnownBackend(), {
        identity: known.identity,
        findBackendIdentity: async () => (looks++ === 0 ? null : known.identity),
      })
      const started = tieBackend(unaware, blind, noWait)
      if (!same) {
        await expect(started).rejects.toThrow(/another one than the database knows/)
        continue
      }
      await started
      expect(store.disk.identity).toBe(known.identity)
    }
  })

  test('a server that starts while another one puts an identity back waits for it', async () => {
    const { known, store, disk } = create({ database: 'tied', backend: 'another' })
    const starting = tieBackend(known, overwriting(store, new Set()))
    await new Promise((resolve) => setImmediate(resolve))
    disk.identity = known.identity
    await starting
  })

  test('where the one that should have put it back was killed, the text says so, and adoption helps', async () => {
    const { known, store } = create({ shared: 5, database: 'tied', backend: 'another' })
    const killed = overwriting(store, new Set())
    await expect(tieBackend(known, killed, noWait)).rejects.toThrow(
      /killed in the second of its very first start.*run "openregistry adopt --backend disk"/,
    )
    await adoptBackend(known, store)
    await tieBackend(known, killed, noWait)
  })

  test('a server goes on when another one claims over the identity just after it was seen', async () => {
    const { known, store } = create({ database: 'tied', backend: 'another' })
    let looks = 0
    const claimedOver = Object.assign(overwriting(store, new Set()), {
      readIdentity: async () => (looks++ === 0 ? known.identity : newBackendIdentity()),
      claim: async () => newBackendIdentity(),
    })
    await tieBackend(known, claimedOver)
    expect(looks).toBe(1)
  })

  test('a server waits for another one that has claimed the backend and not said so yet', async () => {
    const { disk, known, store } = create({ shared: 5, backend: 'another' })
    const started = tieBackend(known, store)
    await new Promise((resolve) => setImmediate(resolve))
    known.identity = disk.identity
    await (await started).confirm()
  })
})

describe('requireTied', () => {
  test('a command does not tie anything', async () => {
    const { known, store, disk } = create({ shared: 5 })
    await expect(requireTied(known, store)).rejects.toThrow(/No server has used the folder \/blobs/)
    expect([known.identity, disk.identity]).toStrictEqual([null, null])
  })

  test('a command needs the folder of the servers', async () => {
    for (const state of [{ missing: 5 }, { shared: 5, backend: 'another' }] as const) {
      const { known, store } = create({ ...state, database: 'tied' })
      await expect(requireTied(known, store)).rejects.toThrow(/This is not where the blobs/)
    }
  })
})

describe('adoption', () => {
  test.each<[string, State, object]>([
    ['a copy', { shared: 5, database: 'tied' }, { identity: 'none', fits: true, holdsOthers: false }],
    ['a clone', { shared: 5, database: 'tied', backend: 'another' }, { identity: 'other', fits: true }],
    ['what is ours', { shared: 5, database: 'tied', backend: 'the same' }, { identity: 'own', fits: true }],
    ['an empty folder', { missing: 50, database: 'tied' }, { identity: 'none', fits: false }],
    ['a folder of others', { surplus: 5, backend: 'another' }, { identity: 'other', holdsOthers: true }],
    ['damage alone', { damaged: 5, database: 'tied' }, { fits: false, holdsOthers: false }],
  ])('%s: says what is there, and gives it to this database alone', async (_what, state, facts) => {
    const { disk, known, store, before } = create(state)
    expect(await examineAdoption(known, store)).toMatchObject(facts)
    expect({ known: known.identity, held: disk.identity }).toStrictEqual(before)
    const identity = await adoptBackend(known, store)
    expect([before.known, before.held]).not.toContain(identity)
    expect([known.identity, disk.identity]).toStrictEqual([identity, identity])
    await tieBackend(known, store, noWait)
  })

  test('servers of the database go on, those of a copy of it do not', async () => {
    const { known, store } = create({ shared: 5, database: 'tied', backend: 'the same' })
    const copy = new KnownBackend()
    copy.identity = known.identity
    const [own, other] = [await requireTied(known, store), await requireTied(copy, store)]
    await adoptBackend(known, store)
    await own.confirm()
    await expect(other.confirm()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })
})
