import type { SettleContent } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { all, hit, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.settleContent`. */
export function* settleContent(sql: Sql, input: SettleContent): Step<string | null> {
  // Whoever changes the visibility waits for this step, and does not find rows that follow what it was.
  const asListed = yield* hit(sql`
    SELECT 1 FROM repositories
    WHERE id = ${input.id} AND visibility = ${input.visibility} AND deleted_at IS NULL
    ${sql.lock('FOR NO KEY UPDATE')}`)
  if (!asListed) return null
  return yield* input.content === 'blobs' ? settleLinks(sql, input) : settleManifests(sql, input)
}

function* settleLinks(sql: Sql, { id, visibility, after, limit }: SettleContent): Step<string | null> {
  const isPrivate = visibility === 'private'
  const links = yield* all<{ digest: Digest; known_private: unknown }>(sql`
    SELECT digest, known_private FROM repository_blobs
    WHERE repository_id = ${id} AND digest > ${after}
    ORDER BY digest LIMIT ${limit} ${sql.lock('FOR NO KEY UPDATE')}`)
  const behind = links.filter((link) => Boolean(link.known_private) !== isPrivate)
  if (behind.length > 0) {
    yield* run(sql`
      UPDATE repository_blobs SET known_private = ${isPrivate}
      WHERE repository_id = ${id} AND digest IN ${sql.texts(behind.map(({ digest }) => digest))}`)
  }
  return links.length < limit ? null : (links.at(-1)?.digest ?? null)
}

function* settleManifests(sql: Sql, { id, visibility, after, limit }: SettleContent): Step<string | null> {
  const isPrivate = visibility === 'private'
  const manifests = yield* all<{ id: number; digest: Digest; known_private: unknown }>(sql`
    SELECT id, digest, known_private FROM manifests
    WHERE repository_id = ${id} AND digest > ${after} ORDER BY digest LIMIT ${limit}`)
  const behind = manifests.filter((manifest) => Boolean(manifest.known_private) !== isPrivate)
  if (behind.length > 0) {
    const ids = sql.integers(behind.map((manifest) => manifest.id))
    // One order for all steps that lock several.
    yield* all(sql`SELECT id FROM manifests WHERE id IN ${ids} ORDER BY id ${sql.lock('FOR NO KEY UPDATE')}`)
    yield* run(sql`UPDATE manifests SET known_private = ${isPrivate} WHERE id IN ${ids}`)
  }
  if (isPrivate && manifests.length > 0) {
    const ids = sql.integers(manifests.map((manifest) => manifest.id))
    // Their pins are looked at next, and go unless somebody else shows the same.
    yield* run(sql`
      UPDATE layout_pins SET looked_at = 0
      WHERE root IN (SELECT root FROM layouts WHERE manifest_id IN ${ids} AND stored)`)
    // Layouts before their blocks: the order of whoever stores one at the same moment.
    yield* run(sql`UPDATE layouts SET stored = FALSE WHERE manifest_id IN ${ids} AND stored`)
    yield* run(sql`DELETE FROM layout_blocks WHERE manifest_id IN ${ids}`)
  }
  return manifests.length < limit ? null : (manifests.at(-1)?.digest ?? null)
}
