import { RegistryError, type Digest } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import { first, run, runEach, type Query, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** Content as `blobs` has it. */
export interface BlobContent {
  sha256: Digest
  sha512: Digest | null
  size: number
  cid: Cid
  /** Packed SHA-256 of each leaf. */
  leaves: Uint8Array
  /** Packed SHA-256 of the nodes above, level 1 first; empty up to 1 MiB. */
  nodes: readonly Uint8Array[]
}

/** Bytes of one packed hash. */
const hashSize = 32

/** Bytes of a hash by which a block is found. */
export const prefixSize = 8

/** A row of `blobs` that this step holds. */
export interface HeldBlob {
  id: number
  /** Whether this step made it: nobody else sees it yet, and it has no locations. */
  created: boolean
}

/** The row of this content, created with its blocks if it is not there, and held so that nobody collects it. */
export function* ensureBlob(sql: Sql, blob: BlobContent): Step<HeldBlob> {
  if (blob.sha512 !== null) yield* addSha512(sql, blob.sha256, blob.sha512)
  const found = yield* first<{ id: number }>(sql`
    SELECT id FROM blobs WHERE sha256 = ${blob.sha256} ${sql.lock('FOR KEY SHARE')}`)
  if (found !== null) return { id: found.id, created: false }
  const created = yield* first<{ id: number }>(sql`
    INSERT INTO blobs (sha256, sha512, size, cid, created_at, leaves)
    VALUES (${blob.sha256}, ${blob.sha512}, ${blob.size}, ${blob.cid}, ${sql.now}, ${blob.leaves})
    ON CONFLICT (sha256) DO NOTHING
    RETURNING id`)
  if (created === null) return yield* ensureBlob(sql, blob)
  if (blob.nodes.length > 0) yield* runEach(blockRows(sql, created.id, blob))
  return { id: created.id, created: true }
}

/**
 * Notes the other digest of content that was first pushed without it. A digest is a key, which may not be changed while
 * somebody holds the blob; then it is left to a later push, since only the search for a place to mount from needs it.
 */
function* addSha512(sql: Sql, sha256: Digest, sha512: Digest): Step<void> {
  const lacking = yield* first<{ id: number }>(sql`
    SELECT id FROM blobs WHERE sha256 = ${sha256} AND sha512 IS NULL`)
  if (lacking === null) return
  yield* run(sql`
    UPDATE blobs SET sha512 = ${sha512} WHERE id IN (
      SELECT id FROM blobs WHERE id = ${lacking.id} AND sha512 IS NULL ${sql.lock('FOR UPDATE SKIP LOCKED')})`)
}

/** One row for each distinct hash of a leaf or node. */
export function* blockRows(
  sql: Sql,
  blobId: number,
  { leaves, nodes }: Pick<BlobContent, 'leaves' | 'nodes'>,
): Generator<Query> {
  const seen = new Set<string>()
  for (const [level, packed] of [leaves, ...nodes].entries()) {
    if (packed.length % hashSize !== 0)
      throw new RegistryError('INTERNAL', 'Packed hashes are 32 bytes each.')
    const hashes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
    for (let ordinal = 0; ordinal * hashSize < packed.length; ordinal++) {
      const at = ordinal * hashSize
      const hash = hashes.toString('latin1', at, at + hashSize)
      if (seen.has(hash)) continue
      seen.add(hash)
      yield sql`
        INSERT INTO blocks (hash8, blob_id, level, ordinal)
        VALUES (${packed.subarray(at, at + prefixSize)}, ${blobId}, ${level}, ${ordinal})`
    }
  }
}
