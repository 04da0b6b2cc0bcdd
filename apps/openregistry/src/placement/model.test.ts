import { createHash } from 'node:crypto'
import {
  collect,
  moveJob,
  operator,
  placementOf,
  repair,
  replicateJob,
  sweep,
  type JobKind,
  type Ports,
  type Visibility,
} from '@openregistry/core'
import {
  mediaTypes,
  parseReference,
  parseRepositoryName,
  RegistryError,
  type Digest,
  type RepositoryName,
} from '@openregistry/oci'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pullContent, pushContent } from '../testing/content.ts'
import { crashAfter } from '../testing/crashing-ports.ts'
import { keysIn, unnamedIn } from '../testing/object-lists.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

const names = ['me/a', 'me/b', 'you/c'].map(parseRepositoryName)
const backends = ['open', 'disk', 'vault'] as const
const never = new AbortController().signal

/** Layers, and which of them images have. */
const layers = [0, 1, 2, 3, 4].map((n) => new Uint8Array(20_000).fill(n + 1))
const images = [[0, 1], [1, 2], [3], [4]] as const
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest

type Action =
  | { do: 'push' | 'delete'; repository: number; image: number }
  | { do: 'mount'; repository: number; from: number; layer: number }
  | { do: 'show'; repository: number; visibility: Visibility }
  | { do: 'move'; repository: number; backend: number }
  | { do: 'cancel'; repository: number }
  /** Work of the background; killed at an operation, if there is one. */
  | { do: 'work' | 'replicate'; killedAt: number | null }
  | { do: 'lose'; backend: number; object: number }
  | { do: 'repair' | 'collect' | 'collect rows' }

const of = (count: number) => fc.integer({ min: 0, max: count - 1 })
const repository = of(names.length)
const image = of(images.length)
const killedAt = fc.option(fc.integer({ min: 1, max: 40 }))

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push'), repository, image }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete'), repository, image }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('mount'),
      repository,
      from: repository,
      layer: of(layers.length),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('show'),
      repository,
      visibility: fc.constantFrom<Visibility>('public', 'private'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('move'), repository, backend: of(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), repository }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('work'), killedAt }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replicate'), killedAt }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lose'), backend: of(3), object: of(4) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'repair' }) },
  { weight: 2, arbitrary: fc.constant({ do: 'collect' }) },
  { weight: 3, arbitrary: fc.constant({ do: 'collect rows' }) },
)

const sequences = fc.array(action, { minLength: 10, maxLength: 30, size: 'max' })
const replicas = fc.constantFrom([], ['vault'], ['vault', 'open'])

/** What was acknowledged of a repository. */
interface Known {
  images: Set<number>
  visibility: Visibility
  /** Whether it was moved away from public backends, and not shown to everybody since. */
  confined: boolean
  /** Where its newest move is to bring it; null when there is none, or it was stopped. */
  moving: (typeof backends)[number] | null
}

/** One run against a model of what was promised. */
class Run {
  readonly #opened: SeveralBackends
  /** Backends that have second copies. */
  readonly #copies: readonly string[]
  readonly #known = new Map<RepositoryName, Known>()

  constructor(opened: SeveralBackends, copies: readonly string[]) {
    this.#opened = opened
    this.#copies = copies
  }

  async take(action: Action): Promise<void> {
    await this.#do(action)
    await this.#expectPullable()
    await this.#expectClosed()
  }

  async #do(action: Action): Promise<unknown> {
    const { registry, ports } = this.#opened
    switch (action.do) {
      case 'push':
        return this.#push(names[action.repository]!, action.image)
      case 'delete':
        return this.#delete(names[action.repository]!, action.image)
      case 'mount': {
        const [name, from] = [names[action.repository]!, names[action.from]!]
        const mounted = await registry.mountBlob(operator, {
          repository: name,
          digest: digestOf(layers[action.layer]!),
          from,
        })
        if (mounted !== null) this.#of(name)
        return
      }
      case 'show':
        return this.#show(names[action.repository]!, action.visibility)
      case 'move':
        return this.#move(names[action.repository]!, backends[action.backend]!)
      case 'cancel':
        return this.#cancel(names[action.repository]!)
      case 'work':
        for (const name of this.#known.keys()) await this.#work(name, action.killedAt)
        return
      case 'replicate':
        return this.#run(replicateJob, '', action.killedAt)
      case 'lose':
        return this.#lose(backends[action.backend]!, action.object)
      case 'repair':
        return repair(ports)
      case 'collect':
        return this.#collect()
      case 'collect rows':
        return collect(ports, never, { grace: 0 })
    }
  }

  #of(name: RepositoryName): Known {
    const found = this.#known.get(name) ?? {
      images: new Set(),
      visibility: 'public',
      confined: false,
      moving: null,
    }
    this.#known.set(name, found)
    return found
  }

  async #push(name: RepositoryName, image: number): Promise<void> {
    const { registry } = this.#opened
    for (const layer of layersOf(image)) await pushContent(registry, name, layer)
    const bytes = manifestOf(image)
    const reference = parseReference(`v${image}`)
    await registry.putManifest(operator, { repository: name, reference, tags: [], contentType: null, bytes })
    this.#of(name).images.add(image)
  }

  async #delete(name: RepositoryName, image: number): Promise<void> {
    const known = this.#known.get(name)
    if (known?.images.delete(image) !== true) return
    const reference = parseReference(digestOf(manifestOf(image)))
    await this.#opened.registry.deleteManifest(operator, { repository: name, reference })
  }

  async #show(name: RepositoryName, visibility: Visibility): Promise<void> {
    const known = this.#known.get(name)
    if (known === undefined) return
    const changed = await unlessConflict(
      this.#opened.registry.setVisibility(operator, { repository: name, visibility }),
    )
    if (changed === null) return expect(visibility).toBe('private')
    known.visibility = visibility
    if (visibility === 'public') known.confined = false
  }

  async #move(name: RepositoryName, backend: (typeof backends)[number]): Promise<void> {
    const known = this.#known.get(name)
    if (known === undefined) return
    const move = this.#opened.registry.moveRepository(operator, { repository: name, backend, rate: 0 })
    if ((await unlessConflict(move)) === null) return
    if (backend === 'open') expect(known.visibility).toBe('public')
    known.moving = backend
    known.confined = backend !== 'open'
  }

  async #cancel(name: RepositoryName): Promise<void> {
    const known = this.#known.get(name)
    if (known === undefined) return
    const before = await this.#opened.metadata.findMove(name)
    if ((await unlessConflict(this.#opened.registry.cancelMove(operator, { repository: name }))) === null)
      return
    const after = await this.#opened.metadata.findMoveTask(before!.repository.id)
    known.moving = null
    known.confined = after?.confined ?? false
  }

  async #work(name: RepositoryName, killedAt: number | null): Promise<void> {
    const { id } = (await this.#opened.metadata.findRepository(name))!
    await this.#run(moveJob, id, killedAt)
  }

  async #run(kind: (ports: Ports) => JobKind, payload: string, killedAt: number | null): Promise<void> {
    const { ports } = this.#opened
    if (killedAt === null) return void (await kind(ports).run({ payload, signal: never }))
    const crashing = crashAfter(ports, killedAt)
    await kind(crashing.ports)
      .run({ payload, signal: never })
      .catch((error: unknown) => {
        if (!crashing.crashed()) throw error
      })
  }

  /** An object goes that is not the only one of its content, and somebody notices. */
  async #lose(backend: (typeof backends)[number], index: number): Promise<void> {
    const { store } = this.#opened
    const key = (await keysIn(store[backend]))[index]
    if (key === undefined) return
    const bytes = await contentOf(store[backend], key)
    let others = 0
    for (const other of backends) {
      if (other === backend) continue
      for (const one of await keysIn(store[other]))
        if (
          digestOf(await contentOf(store[other], one)) === digestOf(bytes) &&
          (await this.#isNamed(other, one))
        )
          others++
    }
    if (others === 0) return
    await store[backend].delete(key)
    await this.#opened.metadata.recordDamage({ state: 'missing', at: { kind: 'object', backend, key } })
  }

  async #isNamed(backend: string, key: string): Promise<boolean> {
    const { metadata } = this.#opened
    const page = await metadata.listKeys(backend, key.slice(0, 32), { after: null, limit: 100 })
    return page.items.some((one) => one === key)
  }

  async #expectPullable(): Promise<void> {
    for (const [name, { images: live }] of this.#known) {
      for (const image of live) {
        for (const layer of layersOf(image)) {
          const pulled = await pullContent(this.#opened.registry, name, digestOf(layer))
          expect(digestOf(pulled), `a layer of image ${image} of ${name}`).toBe(digestOf(layer))
        }
      }
    }
  }

  /** What a repository has, and what of that relies on a backend. */
  async #linksOf(name: RepositoryName, backend: string): Promise<{ all: Digest[]; relying: Digest[] }> {
    const { metadata } = this.#opened
    const { id } = (await metadata.findRepository(name))!
    const page = { after: null, limit: 1000 }
    const all = (await metadata.listLinksElsewhere(id, 'nowhere', page)).items.map(({ digest }) => digest)
    const elsewhere = (await metadata.listLinksElsewhere(id, backend, page)).items.map(({ digest }) => digest)
    return { all, relying: all.filter((digest) => !elsewhere.includes(digest)) }
  }

  /** At no moment relies anything private on a public backend. */
  async #expectClosed(): Promise<void> {
    for (const [name, { visibility }] of this.#known) {
      if (visibility === 'public') continue
      expect((await this.#linksOf(name, 'open')).relying, `${name} is private`).toStrictEqual([])
    }
  }

  /** Takes all that nobody needs: then every object is where somebody relies on it, or a copy that may be there. */
  async #collect(): Promise<void> {
    const { ports, store } = this.#opened
    // What is damaged keeps a copy that nobody else needs from going.
    await repair(ports)
    await collect(ports, never, { grace: 0 })
    await sweep(ports)
    for (const backend of backends) {
      const needed = new Set<Digest>()
      for (const [name, { visibility, confined }] of this.#known) {
        const { all, relying } = await this.#linksOf(name, backend)
        const mayBeThere = backend !== 'open' || (visibility === 'public' && !confined)
        const copied = this.#copies.includes(backend) && mayBeThere
        for (const digest of copied ? all : relying) needed.add(digest)
      }
      for (const key of await keysIn(store[backend])) {
        if (!(await this.#isNamed(backend, key))) continue
        const digest = digestOf(await contentOf(store[backend], key))
        expect([...needed], `an object in ${backend}`).toContain(digest)
      }
    }
  }

  /** Everything is done that there is to do: content is where it belongs, and nothing else is anywhere. */
  async finish(): Promise<void> {
    await repair(this.#opened.ports)
    for (const name of this.#known.keys()) await this.#work(name, null)
    await this.#run(replicateJob, '', null)
    await this.#collect()
    await this.#expectPullable()
    await this.#expectClosed()
    for (const backend of backends) expect(await unnamedIn(this.#opened, backend), backend).toStrictEqual([])
    for (const [name, known] of this.#known) await this.#expectPlaced(name, known)
  }

  async #expectPlaced(
    name: RepositoryName,
    { images: live, moving, visibility, confined }: Known,
  ): Promise<void> {
    const { metadata, ports } = this.#opened
    const { id } = (await metadata.findRepository(name))!
    const { backend } = (await metadata.findMove(name))!
    const digests = [...live].flatMap(layersOf).map(digestOf)
    for (const { places } of await metadata.listPlaces(id, digests, placementOf(ports))) {
      const good = places.filter(({ state }) => state === 'good').map((place) => place.backend)
      const allowed = visibility === 'public' || backend !== 'open'
      if (backend !== null && allowed) expect(good, `${name}, moved to ${backend}`).toContain(backend)
      if (this.#copies.includes('vault')) expect(good).toContain('vault')
    }
    const task = await metadata.findMoveTask(id)
    if (task !== null) expect(task.confined).toBe(confined)
    if (moving !== null) expect(backend).toBe(moving)
  }
}

function layersOf(image: number): Uint8Array[] {
  return images[image]!.map((layer) => layers[layer]!)
}

function manifestOf(image: number): Uint8Array {
  const named = layersOf(image).map((bytes) => ({
    mediaType: mediaTypes.ociLayer,
    digest: digestOf(bytes),
    size: bytes.length,
  }))
  const config = named[0]
  return new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: named }),
  )
}

async function contentOf(store: SeveralBackends['store']['open'], key: Parameters<typeof store.open>[0]) {
  await using reader = await store.open(key)
  const chunks: Uint8Array[] = []
  for await (const chunk of reader?.chunks ?? []) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}

async function unlessConflict<T>(step: Promise<T>): Promise<T | null> {
  try {
    return await step
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'CONFLICT') return null
    throw error
  }
}

test('whatever is pushed, moved, copied, closed, lost and collected in whatever order, nothing promised is missing or misplaced', async () => {
  let steps = 0
  await fc.assert(
    fc.asyncProperty(sequences, replicas, async (actions, copies) => {
      await using opened = await openSeveralBackends({ lease: 0, replicas: copies })
      const run = new Run(opened, copies)
      for (const image of [0, 1]) await run.take({ do: 'push', repository: image, image })
      for (const one of actions) await run.take(one)
      await run.finish()
      steps += actions.length
    }),
    { numRuns: 25 },
  )
  expect(steps).toBeGreaterThan(0)
}, 180_000)
