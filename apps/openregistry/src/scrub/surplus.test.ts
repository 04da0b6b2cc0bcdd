import { createHash, randomBytes } from 'node:crypto'
import {
  compareListings,
  createRegistry,
  newStorageKey,
  newUploadId,
  operator,
  sweep,
  uploadOf,
  type Ports,
  type StorageKey,
  type UploadId,
} from '@openregistry/core'
import { parseDigest, parseRepositoryName, RegistryError, type Digest } from '@openregistry/oci'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { interleavedPorts } from '../testing/interleaved-ports.ts'
import { Turns } from '../testing/turns.ts'

const repository = parseRepositoryName('me/app')
const day = 24 * 3_600_000

/** What somebody does at the same time as others. Lifetimes in milliseconds: some uploads run out while they run. */
type Actor =
  | { kind: 'push'; chunks: number; lifetime: number }
  | { kind: 'cancel'; chunks: number }
  | { kind: 'crash'; lifetime: number }
  | { kind: 'stray' }
  | { kind: 'sweep' }
  | { kind: 'scrub' }

const lifetime = fc.constantFrom(0, 5, day, day)
const actors: fc.Arbitrary<Actor> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      chunks: fc.constantFrom(1, 1, 1, 2, 3),
      lifetime,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cancel' as const), chunks: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), lifetime }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stray' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('scrub' as const) }) },
)

/** A registry that several actors use at once, and what must be true of it. */
class World {
  readonly #ports: Ports
  /** Uploads that can still be committed, by somebody who is at it. */
  readonly #running = new Set<UploadId>()
  readonly #acknowledged = new Map<Digest, Buffer>()
  /** Objects whose writers are gone, and whose uploads are none. */
  readonly strays: StorageKey[] = []

  constructor(ports: Ports) {
    this.#ports = ports
  }

  act(actor: Actor): Promise<void> {
    switch (actor.kind) {
      case 'push':
        return this.#push(actor)
      case 'cancel':
        return this.#cancel(actor)
      case 'crash':
        return this.#crash(actor)
      case 'stray':
        return this.#stray()
      case 'sweep':
        return sweep(this.#ports).then(() => undefined)
      case 'scrub':
        return this.scrub()
    }
  }

  #registry(uploadLifetime: number) {
    return createRegistry({ ...this.#ports, settings: { ...this.#ports.settings, uploadLifetime } })
  }

  async #push({ chunks, lifetime }: { chunks: number; lifetime: number }): Promise<void> {
    const registry = this.#registry(lifetime)
    const bodies = Array.from({ length: chunks }, () => randomBytes(20_000))
    const whole = Buffer.concat(bodies)
    const digest = parseDigest(`sha256:${createHash('sha256').update(whole).digest('hex')}`)
    // The session itself lasts; what is sent to it may not.
    const { id } = await this.#registry(day).openUpload(operator, { repository, algorithm: null })
    if (lifetime === day) this.#running.add(id)
    try {
      for (const body of bodies) {
        await registry.appendPart(operator, { repository, id, chunk: chunkOf(body) })
      }
      await registry.finishUpload(operator, { repository, id, digest, chunk: null })
      this.#acknowledged.set(digest, whole)
    } catch (error) {
      const late = error instanceof RegistryError && error.code === 'BLOB_UPLOAD_UNKNOWN'
      if (lifetime === day || !late) throw error
    } finally {
      this.#running.delete(id)
    }
  }

  async #cancel({ chunks }: { chunks: number }): Promise<void> {
    const registry = this.#registry(day)
    const { id } = await registry.openUpload(operator, { repository, algorithm: null })
    for (let n = 0; n < chunks; n++) {
      await registry.appendPart(operator, { repository, id, chunk: chunkOf(randomBytes(20_000)) })
    }
    await registry.cancelUpload(operator, { repository, id })
  }

  /** A writer that is killed between its object and the row. */
  async #crash({ lifetime }: { lifetime: number }): Promise<void> {
    const { id } = await this.#registry(lifetime).openUpload(operator, { repository, algorithm: null })
    await this.#write(newStorageKey(id))
  }

  /** What a writer leaves that slept until its upload was swept. */
  async #stray(): Promise<void> {
    const key = newStorageKey(newUploadId())
    this.strays.push(key)
    await this.#write(key)
  }

  async #write(key: StorageKey): Promise<void> {
    await this.#ports.backends.get('memory')?.write(key, chunkOf(randomBytes(100)).body)
  }

  /** The whole list at once: its parts would only take longer. */
  async scrub(): Promise<void> {
    const { metadata } = this.#ports
    const wholeList = once(async () => ({ prefix: '', now: await metadata.databaseTime() }))
    const watched = new Proxy(metadata, {
      get: (target, name) => {
        if (name === 'claimListing') return wholeList
        if (name !== 'noteSurplus') return Reflect.get(target, name) as unknown
        return async (input: Parameters<typeof target.noteSurplus>[0]) => {
          const found = await target.noteSurplus(input)
          const named = found.filter(({ key }) => this.#running.has(uploadOf(key)))
          expect(named).toStrictEqual([])
          return found
        }
      },
    })
    const done = await compareListings(
      { ...this.#ports, metadata: watched },
      { listedBefore: Number.MAX_SAFE_INTEGER, age: 0, confirmed: true, most: null, observer: {} },
    )
    expect(done.missing).toStrictEqual([])
  }

  /** Everything that was acknowledged is there, byte for byte. */
  async expectAcknowledged(): Promise<void> {
    for (const [digest, bytes] of this.#acknowledged) {
      await using blob = await this.#registry(day).openBlob(operator, { repository, digest })
      const found: Buffer[] = []
      if (blob.chunks !== null) for await (const chunk of blob.chunks) found.push(Buffer.from(chunk))
      expect(Buffer.concat(blob.bytes === null ? found : [blob.bytes]).equals(bytes)).toBe(true)
    }
  }
}

/** A function that gives null from the second call on. */
function once<T>(first: () => Promise<T>): () => Promise<T | null> {
  let called = false
  return async () => {
    if (called) return null
    called = true
    return first()
  }
}

function chunkOf(bytes: Uint8Array) {
  const body = (async function* () {
    yield bytes
  })()
  return { body, start: null, length: bytes.length }
}

test('objects of uploads that run are never surplus, in whatever order things happen', async () => {
  let turns: Turns | null = null
  // One registry for all runs, since opening one takes longer than a run; what one leaves behind, the next one meets.
  await using opened = await interleavedPorts(async () => turns?.turn())
  const some = fc.array(actors, { minLength: 4, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(some, fc.infiniteStream(fc.noBias(fc.nat())), async (all, choices) => {
      turns = new Turns((waiting) => Number(choices.next().value) % waiting)
      const world = new World(opened.ports)
      await turns.run(all.map((actor) => () => world.act(actor)))
      await world.scrub()
      await sweep(opened.ports)
      await world.expectAcknowledged()
      for (const key of world.strays) expect(await opened.store.stat(key)).toBeNull()
    }),
    { numRuns: 100 },
  )
})
