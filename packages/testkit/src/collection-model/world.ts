import {
  mediaTypes,
  parseRepositoryName,
  type Digest,
  type RepositoryName,
  type Tag,
} from '@openregistry/oci'
import type { ManifestReference, PutManifest } from '@openregistry/core'
import { hashedContent, type HashedContent } from '../metadata-store-contract/content.ts'
import { manifestOf } from '../metadata-store-contract/actions.ts'

/** Times of the model's registry. Short beside each other, so that random steps meet every order of them. */
export const times = { lease: 100, grace: 60, lifetime: 400 }

/** How a blob arrives. */
export const chunksOfBlob = 3

/** A small world that random steps choose from by number. */
export interface World {
  names: readonly RepositoryName[]
  blobs: readonly HashedContent[]
  manifests: readonly Omit<PutManifest, 'repository'>[]
  tags: readonly Tag[]
}

/** What manifests need: blobs and manifests by number. */
const shapes: { blobs?: number[]; children?: number[]; foreign?: number[]; subject?: number }[] = [
  { blobs: [0] },
  { blobs: [0, 1] },
  // An index, one of indexes, and two that name each other: digests are not checked by the store.
  { children: [0, 1] },
  { children: [2, 4] },
  { children: [3] },
  // A signature of the first, one of the signature, and one that is a blob of others, too.
  { blobs: [2], subject: 0 },
  { blobs: [2], subject: 5 },
  { blobs: [1, 2, 3] },
  // A layer that need not be here, and may come later.
  { blobs: [1], foreign: [3] },
  // A list of signatures, as older clients keep it under a tag.
  { children: [5, 6] },
]

/** Makes the world; the same every time. */
export function newWorld(): World {
  const blobs = [0, 1, 2, 3].map((n) => hashedContent(`blob ${n} `.repeat(5)))
  const digests = shapes.map((_, n) => hashedContent(`manifest ${n}`).sha256)
  const manifests = shapes.map(({ blobs: needed = [], children = [], foreign = [], subject }, n) => {
    const references: ManifestReference[] = [
      ...children.map((child) => ({ digest: digests[child]!, kind: 'manifest' }) as const),
      ...foreign.map((blob) => ({ digest: blobs[blob]!.sha256, kind: 'foreign' }) as const),
    ]
    const { repository: _, ...rest } = manifestOf(parseRepositoryName('a/b'), {
      blobs: needed.map((blob) => blobs[blob]!.sha256),
      references,
      bytes: new TextEncoder().encode(`manifest ${n}`),
      mediaType: children.length > 0 ? mediaTypes.ociIndex : mediaTypes.ociManifest,
      subject: subject === undefined ? null : digests[subject]!,
    })
    return rest
  })
  const signatureOf = (subject: number) => digests[subject]!.replace(':', '-')
  return {
    names: ['one/a', 'one/b', 'two/a'].map(parseRepositoryName),
    blobs,
    manifests,
    tags: ['latest', 'v1', `${signatureOf(0)}.sig`, signatureOf(1)] as Tag[],
  }
}

/** The subject whose end a tag shares, or null: `sha256-<hex>` and `sha256-<hex>.<suffix>`. */
export function subjectOfTag(tag: Tag): Digest | null {
  const found = /^(sha256|sha512)-([0-9a-f]{64})(\..*)?$/.exec(tag)
  return found === null ? null : (`${found[1]}:${found[2]}` as Digest)
}
