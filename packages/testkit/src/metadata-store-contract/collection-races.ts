import { describe, expect, test } from 'vitest'
import type { MetadataStore, PutManifest } from '@openregistry/core'
import { mediaTypes, RegistryError, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import {
  blobAt,
  diskAlone,
  hour,
  manifestAt,
  manifestOf,
  pendingKeys,
  pushBlob,
  pushManifest,
} from './actions.ts'
import { aloneIn, collectAll, noLease } from './collecting.ts'
import { hashedContent, newName, type HashedContent } from './content.ts'
import type { OpenMetadataStore } from './opened.ts'

const turns = 25

/** Collectors at work while others push, mount and delete the same few blobs: on an engine with row locks they meet. */
export function collectionRaceTests(open: OpenMetadataStore): void {
  const alone = aloneIn(open)

  describe('collection beside others', () => {
    test(
      'a push that was acknowledged stays, however often the same content was collected before',
      alone(async (store) => {
        const contents = [hashedContent(), hashedContent()]
        await using collectors = collecting(store)
        const push = async (content: HashedContent) => {
          for (let turn = 0; turn < turns; turn++) {
            // Over at once, and gone in a moment, while the same content comes to another repository.
            const [short, long] = [newName(), newName()]
            await pushBlob(store, short, content, noLease)
            await pushBlob(store, long, content)
            const location = (await blobAt(store, long, content.sha256))?.location
            expect(location?.kind).toBe('object')
            expect(await pendingKeys(store)).not.toContain(location?.kind === 'object' ? location.key : '')
            await store.deleteRepository(long, 'user:ada')
          }
        }
        await Promise.all([...contents, ...contents].map(push))
        await collectors[Symbol.asyncDispose]()
      }),
    )

    test(
      'manifests keep what they need while others go and all is collected',
      alone(async (store) => {
        const names = [newName(), newName()]
        const contents = [hashedContent(), hashedContent(), hashedContent()]
        const kept: { name: RepositoryName; digest: Digest; blobs: HashedContent[] }[] = []
        await using collectors = collecting(store)
        const work = async (worker: number) => {
          const name = names[worker % names.length]!
          for (let turn = 0; turn < turns; turn++) {
            const blobs = contents.filter((_, n) => (turn + worker) % (n + 2) !== 0)
            // Without a lease a manifest races with the collector for its blobs: one of them has them.
            for (const blob of blobs) await pushBlob(store, name, blob, turn % 2 === 0 ? noLease : {})
            const manifest = manifestOf(name, { blobs: blobs.map(({ sha256 }) => sha256) })
            if (!(await putUnlessCollected(store, manifest))) continue
            for (const { sha256 } of blobs)
              expect((await blobAt(store, name, sha256))?.location?.kind).toBe('object')
            if (turn % 5 === 4) kept.push({ name, digest: manifest.digest, blobs })
            else expect(await store.deleteManifest(name, manifest.digest, 'user:ada')).toBe(true)
          }
        }
        await Promise.all([0, 1, 2, 3, 4, 5].map(work))
        await collectors[Symbol.asyncDispose]()
        await collectAll(store)
        const pending = new Set<string>(await pendingKeys(store))
        expect(kept.length).toBeGreaterThan(0)
        for (const { name, digest, blobs } of kept) {
          expect(await manifestAt(store, name, digest)).not.toBeNull()
          for (const { sha256 } of blobs) {
            const location = (await blobAt(store, name, sha256))?.location
            expect(location?.kind).toBe('object')
            expect(pending.has(location?.kind === 'object' ? location.key : '')).toBe(false)
          }
        }
      }),
    )

    test(
      'mounts have their lease, or did not happen',
      alone(async (store) => {
        await using collectors = collecting(store)
        const content = hashedContent()
        const work = async () => {
          for (let turn = 0; turn < turns; turn++) {
            const [from, to] = [newName(), newName()]
            await pushBlob(store, from, content, noLease)
            const source = (await store.findRepository(from))!.id
            const input = {
              source,
              target: to,
              defaultVisibility: 'private',
              digest: content.sha256,
            } as const
            if (!(await store.mountBlob({ ...input, lease: hour, rules: diskAlone }))) continue
            expect((await blobAt(store, to, content.sha256))?.location).not.toBeNull()
            await store.deleteRepository(to, 'user:ada')
          }
        }
        await Promise.all([work(), work(), work()])
        await collectors[Symbol.asyncDispose]()
        await collectAll(store)
        expect(await store.previewCollection(0, 1)).toMatchObject({ content: [], blobs: 0 })
      }),
    )

    test(
      'what belongs to a deleted manifest stays when somebody tags, names, moves or pushes it just then',
      alone(async (store) => {
        const kept: Kept[] = []
        const work = async (worker: number) => {
          const name = newName()
          for (let turn = 0; turn < turns; turn++) {
            const attached = await pushAttached(store, name)
            // Both begin now, so that the one decides while the other is at work.
            const [wanted] = await Promise.all([
              wants[(turn + worker) % wants.length]!(store, attached, turn),
              store.collectManifests({ grace: 0, limit: 20 }),
            ])
            kept.push(...wanted)
          }
        }
        await Promise.all([0, 1, 2, 3, 4, 5].map(work))
        await collectAll(store)
        const gone: Kept[] = []
        for (const one of kept)
          if ((await manifestAt(store, one.name, one.reference))?.digest !== one.digest) gone.push(one)
        expect(gone).toStrictEqual([])
      }),
    )
  })
}

/** What a reference has to find for ever. */
interface Kept {
  how: string
  name: RepositoryName
  reference: string
  digest: Digest
}

/** What belongs to a manifest that was deleted a moment ago: the collector may take it from now on. */
interface AttachedManifests {
  name: RepositoryName
  referrer: PutManifest
  tag: Tag
}

async function pushAttached(store: MetadataStore, name: RepositoryName): Promise<AttachedManifests> {
  const subject = await pushManifest(store, name)
  const tag = `${subject.digest.replace(':', '-')}.sig` as Tag
  const referrer = await pushManifest(store, name, { subject: subject.digest })
  await pushManifest(store, name, { tags: [tag] })
  await store.deleteManifest(name, subject.digest, 'user:ada')
  return { name, referrer, tag }
}

type Want = (store: MetadataStore, attached: AttachedManifests, turn: number) => Promise<Kept[]>

/** Reasons to keep something. */
const wants: readonly Want[] = [
  async (store, { name, referrer }, turn) => {
    const tag = `keep-${turn}` as Tag
    await store.putManifest({ ...referrer, tags: [tag] })
    return [{ how: 'tagged', name, reference: tag, digest: referrer.digest }]
  },
  async (store, { name, tag }) => {
    const moved = await pushManifest(store, name, { tags: [tag] })
    return [{ how: 'moved', name, reference: tag, digest: moved.digest }]
  },
  async (store, { name, referrer }) => {
    const references = [{ digest: referrer.digest, kind: 'manifest' }] as const
    const { missing } = await store.putManifest(
      manifestOf(name, { references, mediaType: mediaTypes.ociIndex }),
    )
    // It came too late, and its client was told so.
    if (missing.length > 0) return []
    return [{ how: 'named', name, reference: referrer.digest, digest: referrer.digest }]
  },
  async (store, { name, referrer }) => {
    await store.putManifest(referrer)
    return [{ how: 'pushed again', name, reference: referrer.digest, digest: referrer.digest }]
  },
]

/** Two collectors that work until they are disposed of. */
function collecting(store: MetadataStore): AsyncDisposable {
  let over = false
  const collector = async () => {
    while (!over) await collectAll(store, { limit: 3 })
  }
  const collectors = Promise.all([collector(), collector()])
  return {
    async [Symbol.asyncDispose]() {
      over = true
      await collectors
    },
  }
}

async function putUnlessCollected(
  store: MetadataStore,
  manifest: Parameters<MetadataStore['putManifest']>[0],
): Promise<boolean> {
  try {
    await store.putManifest(manifest)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'MANIFEST_BLOB_UNKNOWN') return false
    throw error
  }
}
