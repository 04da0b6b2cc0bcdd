import type { BlobUse } from '@openregistry/core'
import type { Digest, RepositoryName, Tag } from '@openregistry/oci'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Tags that are named of one repository. */
const tagsAtMost = 100

interface Held {
  repository_id: string
  name: RepositoryName
  /** Under which the repository has the content. */
  digest: Digest
}

interface Image {
  id: number
  digest: Digest
}

/**
 * See `ScrubStore.listBlobUses`. From the blob to the manifests that are it or name it, and up through indexes, however
 * they are nested; an index that contains itself is met once. Bounded, since thousands may share a base image.
 */
export function* listBlobUses(sql: Sql, blobId: number, limit: number): Step<BlobUse[]> {
  const linked = yield* all<Held>(sql`
    SELECT k.repository_id, r.name, k.digest
    FROM live_links AS k JOIN live_repositories AS r ON r.id = k.repository_id
    WHERE k.blob_id = ${blobId} LIMIT ${limit}`)
  const manifests = yield* all<Held & Image>(sql`
    SELECT m.id, m.repository_id, r.name, m.digest
    FROM live_manifests AS m JOIN live_repositories AS r ON r.id = m.repository_id
    WHERE m.blob_id = ${blobId} LIMIT ${limit}`)
  const uses: BlobUse[] = []
  for (const [name, held] of Map.groupBy([...linked, ...manifests], (row) => row.name)) {
    if (uses.length === limit) break
    const own = manifests.filter((row) => row.name === name).map(({ id, digest }) => ({ id, digest }))
    const images = yield* withIndexes(sql, held, own, limit)
    uses.push({ repository: name, images: yield* withTags(sql, images) })
  }
  return uses
}

/** These manifests, and every one above these digests. */
function* withIndexes(sql: Sql, held: readonly Held[], own: readonly Image[], limit: number): Step<Image[]> {
  const repositoryId = held[0]?.repository_id ?? ''
  const images = new Map<number, Image>(own.map((image) => [image.id, image]))
  let digests = held.map(({ digest }) => digest)
  while (digests.length > 0 && images.size < limit) {
    const above = yield* all<Image>(sql`
      SELECT m.id, m.digest
      FROM manifest_refs AS f JOIN live_manifests AS m ON m.id = f.manifest_id
      WHERE f.repository_id = ${repositoryId} AND f.digest IN ${sql.texts(digests)} AND f.live
      LIMIT ${limit}`)
    const fresh = above.filter(({ id }) => !images.has(id))
    for (const { id, digest } of fresh) images.set(id, { id, digest })
    digests = fresh.map(({ digest }) => digest)
  }
  return [...images.values()].slice(0, limit)
}

function* withTags(sql: Sql, images: readonly Image[]): Step<BlobUse['images']> {
  if (images.length === 0) return []
  const tags = yield* all<{ manifest_id: number; name: Tag }>(sql`
    SELECT manifest_id, name FROM tags
    WHERE manifest_id IN ${sql.integers(images.map(({ id }) => id))} LIMIT ${tagsAtMost}`)
  return images.map(({ id, digest }) => ({
    digest,
    tags: tags
      .filter((tag) => tag.manifest_id === id)
      .map(({ name }) => name)
      .sort(),
  }))
}
