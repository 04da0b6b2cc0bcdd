import type {
  BlobLocation,
  PublicBlob,
  PublicBlobWish,
  RepositoryFacts,
  StorageKey,
} from '@openregistry/core'
import { dagPbCid, unixfsLeafSize } from '@openregistry/dag'
import { formatDigest, type Digest } from '@openregistry/oci'
import { prefixSize } from '../rows/blob.ts'
import { inlineBackend } from '../rows/location.ts'
import { all, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found {
  id: number
  sha256: Digest
  size: number
  level: number
  ordinal: number
  repository_id: string
  name: RepositoryFacts['name']
  visibility: RepositoryFacts['visibility']
  /** Null in the only row of a blob without good bytes. */
  backend: string | null
  key: StorageKey | null
  bytes: Uint8Array | null
}

const nothing = new Uint8Array(0)

/**
 * See `IpfsStore.findPublicBlob`. Candidates are confirmed by their packed hashes (levels above the leaves have none, and
 * are confirmed by whoever derives them). The first that a public repository has is taken: links and manifests that are
 * known to be in private repositories are not in the indexes that are asked, and the repository has the last word.
 */
export function* findPublicBlob(
  sql: Sql,
  { sha256, as, except, bytes }: PublicBlobWish,
): Step<PublicBlob | null> {
  const digest = formatDigest('sha256', sha256)
  const largest = as === 'content' ? Number.MAX_SAFE_INTEGER : unixfsLeafSize
  const prefix = as === 'content' ? nothing : sha256.subarray(0, prefixSize)
  const root = as === 'root' ? dagPbCid(sha256) : null
  const rows = yield* all<Found>(sql`
    SELECT found.*, l.backend, l.key, CASE WHEN ${bytes} THEN l.bytes END AS bytes
    FROM (
      SELECT held.id, held.sha256, held.size, held.level, held.ordinal, r.id AS repository_id, r.name, r.visibility
      FROM (
        SELECT candidate.id, candidate.sha256, candidate.size, candidate.level, candidate.ordinal, COALESCE(
          (SELECT linking.id FROM repository_blobs AS k JOIN repositories AS linking ON linking.id = k.repository_id
            WHERE k.blob_id = candidate.id AND k.hidden_at IS NULL AND NOT k.known_private
              AND linking.deleted_at IS NULL AND linking.visibility = 'public' LIMIT 1),
          (SELECT holding.id FROM manifests AS m JOIN repositories AS holding ON holding.id = m.repository_id
            WHERE m.blob_id = candidate.id AND m.deleted_at IS NULL AND NOT m.known_private
              AND holding.deleted_at IS NULL AND holding.visibility = 'public' LIMIT 1),
          (SELECT opened.id FROM repositories AS opened
            WHERE opened.deleted_at IS NULL AND opened.unsettled AND opened.visibility = 'public' AND (
              EXISTS (SELECT 1 FROM repository_blobs AS k WHERE k.repository_id = opened.id
                AND k.digest IN (candidate.sha256, candidate.sha512) AND k.blob_id = candidate.id AND k.hidden_at IS NULL)
              OR EXISTS (SELECT 1 FROM manifests AS m WHERE m.repository_id = opened.id
                AND m.digest IN (candidate.sha256, candidate.sha512) AND m.blob_id = candidate.id AND m.deleted_at IS NULL)) LIMIT 1)
        ) AS holder
        FROM (
          SELECT b.id, b.sha256, b.sha512, b.size, 0 AS level, 0 AS ordinal
          FROM blobs AS b WHERE b.sha256 = ${digest} AND b.size <= ${largest}
          UNION ALL
          SELECT b.id, b.sha256, b.sha512, b.size, k.level, k.ordinal
          FROM blocks AS k JOIN blobs AS b ON b.id = k.blob_id
          WHERE k.hash8 = ${prefix} AND b.cid = COALESCE(${root}, b.cid)
            AND (k.level > 0 OR substr(b.leaves, 32 * CAST(k.ordinal AS INTEGER) + 1, 32) = ${sha256})
        ) AS candidate
        WHERE candidate.id NOT IN ${sql.integers(except)}
      ) AS held
      JOIN repositories AS r ON r.id = held.holder AND r.deleted_at IS NULL AND r.visibility = 'public'
      LIMIT 1
    ) AS found
    LEFT JOIN good_locations AS l ON l.blob_id = found.id`)
  const [first] = rows
  if (first === undefined) return null
  return {
    repository: { id: first.repository_id, name: first.name, visibility: first.visibility },
    id: first.id,
    sha256: first.sha256,
    size: first.size,
    level: first.level,
    index: first.ordinal,
    locations: rows.flatMap(locationOf).toSorted(inlineFirst),
  }
}

function locationOf({ backend, key, bytes }: Found): BlobLocation[] {
  if (backend === inlineBackend) return [{ kind: 'inline', bytes: bytes ?? nothing }]
  return backend === null || key === null ? [] : [{ kind: 'object', backend, key }]
}

function inlineFirst(one: BlobLocation, other: BlobLocation): number {
  return Number(one.kind !== 'inline') - Number(other.kind !== 'inline')
}
