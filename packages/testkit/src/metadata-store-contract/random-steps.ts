import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MetadataStore, Visibility } from '@openregistry/core'
import {
  digestBytes,
  namespaceOf,
  parseRepositoryName,
  type Digest,
  type RepositoryName,
  type Tag,
} from '@openregistry/oci'
import { blobAt, diskAlone, hour, manifestAt, manifestOf, pushBlob, refused, tagsOf } from './actions.ts'
import { hashedContent, randomWord, type HashedContent } from './content.ts'
import { wholeHistory } from './history.ts'
import { Model, type ModelRepository } from './model.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

/** One step; the numbers choose from the small worlds below. */
type Action =
  | { do: 'push'; repository: number; blob: number }
  | { do: 'mount'; repository: number; target: number; blob: number }
  | { do: 'hide'; repository: number; blob: number }
  | { do: 'put'; repository: number; manifest: number; tags: number[] }
  | { do: 'delete'; repository: number; manifest: number }
  | { do: 'untag'; repository: number; tag: number }
  | { do: 'restore'; repository: number; manifest: number; tag: number | null }
  | { do: 'show'; repository: number; visibility: Visibility }
  | { do: 'drop'; repository: number }
  | { do: 'settle' }

const of = (count: number) => fc.integer({ min: 0, max: count - 1 })
const repository = of(3)
const blob = of(3)
const manifest = of(4)
const tag = of(3)

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push'), repository, blob }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('mount'), repository, target: repository, blob }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hide'), repository, blob }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put'),
      repository,
      manifest,
      tags: fc.uniqueArray(tag, { maxLength: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete'), repository, manifest }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('untag'), repository, tag }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('restore'), repository, manifest, tag: fc.option(tag) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('show'),
      repository,
      visibility: fc.constantFrom<Visibility>('public', 'private'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop'), repository }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle') }) },
)

/** Names and content of one run, which no other run uses. */
interface World {
  names: readonly RepositoryName[]
  blobs: readonly HashedContent[]
  /** Which blobs each manifest needs. */
  needs: readonly (readonly number[])[]
  tags: readonly Tag[]
  salt: string
}

function newWorld(): World {
  const [one, two, salt] = [randomWord(), randomWord(), randomWord()]
  return {
    names: [`${one}/a`, `${one}/b`, `${two}/a`].map(parseRepositoryName),
    blobs: [0, 1, 2].map(() => hashedContent()),
    needs: [[], [0], [0, 1], [1, 2]],
    tags: ['latest', 'V1', 'v1'] as Tag[],
    salt,
  }
}

/** Random sequences of steps leave the store as a simple model says. */
export function modelTests(open: OpenMetadataStore): void {
  describe('random steps', () => {
    const store = sharedStore(open)

    test('leave what the model says', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 40, size: 'max' }), async (actions) => {
          const [world, model] = [newWorld(), new Model()]
          for (const one of actions) await take(store(), model, world, one)
          await compare(store(), model, world)
        }),
        { numRuns: 60 },
      )
    })
  })
}

/** Takes a step in both, and expects the same answer. */
async function take(store: MetadataStore, model: Model, world: World, action: Action): Promise<void> {
  // Changes nothing that anybody can see.
  if (action.do === 'settle') return void (await settleAll(store))
  const name = world.names[action.repository]!
  switch (action.do) {
    case 'push': {
      const content = world.blobs[action.blob]!
      await pushBlob(store, name, content)
      return model.pushBlob(name, content.sha256)
    }
    case 'mount': {
      const [target, { sha256 }] = [world.names[action.target]!, world.blobs[action.blob]!]
      const source = (await store.findRepository(name))?.id ?? 'nobody'
      const step = { source, target, defaultVisibility: 'private', digest: sha256, lease: hour } as const
      return expect(await store.mountBlob({ ...step, rules: diskAlone })).toBe(
        model.mountBlob(name, target, sha256),
      )
    }
    case 'hide': {
      const { sha256 } = world.blobs[action.blob]!
      return expect(await store.deleteBlob(name, sha256)).toBe(model.deleteBlob(name, sha256))
    }
    case 'put':
      return put(store, model, world, action)
    case 'delete': {
      const { digest } = manifestIn(world, name, action.manifest)
      const deleted = await store.deleteManifest(name, digest, 'user:ada')
      return expect(deleted).toBe(model.deleteManifest(name, digest))
    }
    case 'untag': {
      const tag = world.tags[action.tag]!
      const there = model.repositories.get(name)?.deleteTag(tag) === true
      return expect(await store.deleteTag(name, tag, 'user:ada')).toBe(there)
    }
    case 'restore':
      return restore(store, model, world, action)
    case 'show': {
      const known = model.repositories.get(name)
      if (known !== undefined) known.visibility = action.visibility
      const changed = await store.setVisibility(name, action.visibility, diskAlone)
      return expect(changed?.visibility).toBe(known?.visibility)
    }
    case 'drop':
      return expect(await store.deleteRepository(name, 'user:ada')).toBe(model.repositories.delete(name))
  }
}

async function put(
  store: MetadataStore,
  model: Model,
  world: World,
  action: Extract<Action, { do: 'put' }>,
): Promise<void> {
  const wanted = manifestIn(world, world.names[action.repository]!, action.manifest)
  const manifest = { ...wanted, tags: action.tags.map((index) => world.tags[index]!) }
  const missing = model.putManifest(manifest)
  if (missing === null) return expect(await store.putManifest(manifest)).toStrictEqual({ missing: [] })
  const error = await refused(store.putManifest(manifest), 'MANIFEST_BLOB_UNKNOWN')
  expect(error.detail).toStrictEqual({ missing })
}

async function restore(
  store: MetadataStore,
  model: Model,
  world: World,
  action: Extract<Action, { do: 'restore' }>,
): Promise<void> {
  const name = world.names[action.repository]!
  const { digest } = manifestIn(world, name, action.manifest)
  const known = model.repositories.get(name)
  const wasLive = known?.live(digest) === true
  const missing = model.restoreManifest(name, digest)
  const tag = action.tag === null ? null : world.tags[action.tag]!
  const step = store.restoreManifest({
    repository: name,
    digest,
    tag,
    principal: 'user:undo',
    rules: diskAlone,
  })
  if (missing === null || known === undefined) return expect(await step).toBeNull()
  if (missing.length > 0) {
    const error = await refused(step, 'MANIFEST_BLOB_UNKNOWN')
    const { missing: named } = error.detail as { missing: Digest[] }
    return expect(named.toSorted()).toStrictEqual(missing.toSorted())
  }
  const restored = await step
  expect(restored).toMatchObject({ manifests: wasLive ? [] : [digest], missing: [] })
  if (tag !== null) return known.setTag(tag, digest)
  const lost = [...known.untagged].filter(([, last]) => last.digest === digest && !wasLive)
  expect(lost.map(([name]) => name)).toEqual(expect.arrayContaining(restored?.tags ?? []))
  // A tag that was deleted in the same millisecond cannot be told from those that went with the manifest.
  for (const [lostTag, { withManifest }] of lost) if (withManifest) expect(restored?.tags).toContain(lostTag)
  for (const back of restored?.tags ?? []) known.setTag(back, digest)
}

function manifestIn(world: World, name: RepositoryName, index: number) {
  const blobs = world.needs[index]!.map((needed) => world.blobs[needed]!.sha256)
  return manifestOf(name, { blobs, bytes: new TextEncoder().encode(`${world.salt} ${index}`) })
}

/** Everything that can be asked. */
async function compare(store: MetadataStore, model: Model, world: World): Promise<void> {
  for (const name of world.names) {
    const expected = model.repositories.get(name)
    const facts = await store.findRepository(name)
    expect(facts?.visibility).toBe(expected?.visibility)
    if (expected === undefined) continue
    for (const { sha256 } of world.blobs) await compareBlob(store, name, expected, sha256)
    for (const index of world.needs.keys()) {
      const { digest } = manifestIn(world, name, index)
      expect((await manifestAt(store, name, digest)) !== null).toBe(expected.live(digest))
    }
    for (const tag of world.tags) {
      expect((await manifestAt(store, name, tag))?.digest).toBe(expected.tags.get(tag))
    }
    await compareHistory(store, name, expected)
    expect(await tagsOf(store, name)).toStrictEqual(expected.listed ? [...expected.tags.keys()].sort() : null)
  }
  await compareSources(store, model, world)
  await comparePublic(store, model, world)
}

/** Taken from its beginning, the history leads to the tags that are there now. */
async function compareHistory(
  store: MetadataStore,
  name: RepositoryName,
  expected: ModelRepository,
): Promise<void> {
  const replayed = new Map<string, Digest>()
  for (const { tag: of, from, to } of (await wholeHistory(store, name, null, 2)).toReversed()) {
    expect(from).toBe(replayed.get(of) ?? null)
    if (to === null) replayed.delete(of)
    else replayed.set(of, to)
  }
  expect(Object.fromEntries(replayed)).toStrictEqual(Object.fromEntries(expected.tags))
}

async function compareBlob(
  store: MetadataStore,
  name: RepositoryName,
  expected: ModelRepository,
  digest: Digest,
): Promise<void> {
  const found = await blobAt(store, name, digest)
  expect(found !== null).toBe(expected.visible(digest))
  if (found === null) return
  expect(found.location).not.toBeNull()
  const pending = found.leaseUntil !== null || found.unreferencedSince !== null
  expect(pending).toBe(expected.links.get(digest)?.pending)
}

async function compareSources(store: MetadataStore, model: Model, world: World): Promise<void> {
  const namespaces = [...new Set(world.names.map(namespaceOf)), randomWord()]
  for (const namespace of namespaces) {
    for (const { sha256 } of world.blobs) {
      const allowed = model.mountable(namespace, sha256)
      const found = await store.findMountSource(namespace, sha256)
      if (allowed.length === 0) expect(found).toBeNull()
      else expect(allowed).toContain(found?.name)
    }
  }
}

/** What is found by the hash of a block is in a repository that is public, and all of that is found. */
async function comparePublic(store: MetadataStore, model: Model, world: World): Promise<void> {
  const shown = [...model.repositories].filter(([, { visibility }]) => visibility === 'public')
  const find = async (digest: Digest): Promise<RepositoryName | null> => {
    const wish = { sha256: digestBytes(digest), as: 'block', except: [], bytes: false } as const
    return (await store.findPublicBlob(wish))?.repository.name ?? null
  }
  const compareOne = async (digest: Digest, holders: RepositoryName[]): Promise<void> => {
    const found = await find(digest)
    if (holders.length === 0) expect(found).toBeNull()
    else expect(holders).toContain(found)
  }
  for (const { sha256 } of world.blobs) {
    const holders = shown.filter(([, repository]) => repository.visible(sha256))
    await compareOne(
      sha256,
      holders.map(([name]) => name),
    )
  }
  for (const index of world.needs.keys()) {
    const { digest } = manifestIn(world, world.names[0]!, index)
    const holders = shown.filter(([, repository]) => repository.live(digest))
    await compareOne(
      digest,
      holders.map(([name]) => name),
    )
  }
}
