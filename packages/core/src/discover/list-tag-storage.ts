import type { Digest, Tag } from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import { announcementLifetime } from '../ipfs/announce-roots.ts'
import type { PinnedLayout } from '../ports/ipfs.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { PlacedContent } from '../ports/placement.ts'
import type { Ports } from '../settings.ts'
import { listTags, type ListTagsInput } from './list-tags.ts'
import type { Listed } from './paging.ts'

/** Tags of one page at most: each may be an index of many images. */
const pageAtMost = 100

/** What of an image is in one place. */
export interface StoredAmount {
  /** `inline`: in the database. */
  backend: string
  /** Whose bytes are good there. */
  blobs: number
  bytes: number
  /** When the one was verified that was not for longest. */
  verifiedAt: Milliseconds
}

/** Where the layers and configs of what a tag points to are; those of all images of an index. Manifests are in the database. */
export interface TagStorage {
  tag: Tag
  digest: Digest
  /** Distinct ones, with those that are not here. */
  blobs: number
  /** Of those that are here. */
  bytes: number
  stored: StoredAmount[]
  /** Blobs without good bytes anywhere. */
  missing: number
  /** Backends that hold its layout for this repository: what of it is in the database, as content of IPFS. */
  pinned: Pick<PinnedLayout, 'backend' | 'since'>[]
  /** When the network was last told of its layout; null: never, or so long ago that no peer remembers it. */
  announced: Milliseconds | null
}

/**
 * Where the content of tags is stored, how much of it in which place, when that was verified, where their layouts are pinned,
 * and when these were announced.
 * @throws RegistryError `UNAUTHORIZED`, `NAME_UNKNOWN`.
 */
export async function listTagStorage(
  ports: Ports,
  principal: Principal,
  input: ListTagsInput,
): Promise<Listed<TagStorage>> {
  const { metadata } = ports
  const page = await listTags(ports, principal, { ...input, n: Math.min(input.n ?? pageAtMost, pageAtMost) })
  const repository = await metadata.findRepository(input.repository)
  const digests = [...new Set(page.items.map(({ digest }) => digest))]
  // A repository that has gone in this moment has no content.
  const content = repository === null ? [] : await metadata.listImageContent(repository.id, digests)
  const needed = [...new Set(content.flatMap(({ blobs }) => blobs))]
  const placed =
    repository === null ? [] : await metadata.listPlaces(repository.id, needed, placementOf(ports))
  const pins = repository === null ? [] : await metadata.listPinnedLayouts(repository.id, digests)
  const wish = { manifests: digests, within: announcementLifetime }
  const told = repository === null ? [] : await metadata.listAnnouncedLayouts(repository.id, wish)
  const places = new Map(placed.map((one) => [one.digest, one]))
  const blobsOf = new Map(content.map(({ manifest, blobs }) => [manifest, blobs]))
  const items = page.items.map(({ tag, digest }) => ({
    ...{ tag, digest, ...summary(blobsOf.get(digest) ?? [], places) },
    pinned: pinsOf(digest, pins),
    announced: told.find(({ manifest }) => manifest === digest)?.at ?? null,
  }))
  return { items, next: page.next }
}

function pinsOf(digest: Digest, pins: readonly PinnedLayout[]): TagStorage['pinned'] {
  return pins.filter(({ manifest }) => manifest === digest).map(({ backend, since }) => ({ backend, since }))
}

function summary(
  digests: readonly Digest[],
  places: ReadonlyMap<Digest, PlacedContent>,
): Omit<TagStorage, 'tag' | 'digest' | 'pinned' | 'announced'> {
  const stored = new Map<string, StoredAmount>()
  let [bytes, missing] = [0, 0]
  for (const digest of digests) {
    const blob = places.get(digest)
    const good = blob?.places.filter(({ state }) => state === 'good') ?? []
    bytes += blob?.size ?? 0
    if (good.length === 0) missing++
    for (const { backend, verifiedAt } of good) {
      const sum = stored.get(backend) ?? { backend, blobs: 0, bytes: 0, verifiedAt }
      sum.blobs++
      sum.bytes += blob?.size ?? 0
      sum.verifiedAt = Math.min(sum.verifiedAt, verifiedAt)
      stored.set(backend, sum)
    }
  }
  const byName = [...stored.values()].toSorted((a, b) => (a.backend < b.backend ? -1 : 1))
  return { blobs: digests.length, bytes, stored: byName, missing }
}
