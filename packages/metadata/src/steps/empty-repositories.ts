import type { CollectLimits, CollectionStep } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { addCandidates, collected, deleteManifestRows } from '../rows/collected.ts'
import { endUploads } from '../rows/session.ts'
import { all, first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** What one repository lost, and whether it holds nothing any more. */
interface Emptied {
  rows: number
  manifests: number
  links: number
  empty: boolean
}

/** See `CollectionSteps.emptyRepositories`. Nothing can come into a deleted repository, so each turn finds less. */
export function* emptyRepositories(sql: Sql, { limit }: CollectLimits): Step<CollectionStep> {
  const done = { repositories: 0, manifests: 0, links: 0 }
  for (let room = limit; room > 0; room--) {
    const repository = yield* first<{ id: string }>(sql`
      SELECT id FROM repositories WHERE deleted_at IS NOT NULL AND emptied_at IS NULL
      ORDER BY deleted_at LIMIT 1 ${sql.lock('FOR UPDATE SKIP LOCKED')}`)
    if (repository === null) return collected(done)
    const { rows, manifests, links, empty } = yield* emptyRepository(sql, repository.id, room)
    done.manifests += manifests
    done.links += links
    room -= rows
    if (!empty) break
    done.repositories++
    yield* run(sql`DELETE FROM directories WHERE repository_id = ${repository.id}`)
    yield* run(sql`DELETE FROM moves WHERE repository_id = ${repository.id}`)
    yield* run(sql`UPDATE repositories SET emptied_at = ${sql.now} WHERE id = ${repository.id}`)
  }
  return collected({ ...done, more: true })
}

/** Takes up to `room` rows; what refers to others goes before them. */
function* emptyRepository(sql: Sql, id: string, room: number): Step<Emptied> {
  const done: Emptied = { rows: 0, manifests: 0, links: 0, empty: false }
  done.rows += yield* takeUploads(sql, id, room)
  if (done.rows < room) done.rows += yield* takeTags(sql, id, room - done.rows)
  if (done.rows < room) done.rows += yield* takeHistory(sql, id, room - done.rows)
  if (done.rows < room) {
    const manifests = yield* takeManifests(sql, id, room - done.rows)
    done.rows += manifests.deleted
    done.manifests = manifests.deleted
    if (manifests.more) return done
  }
  if (done.rows < room) {
    done.links = yield* takeLinks(sql, id, room - done.rows)
    done.rows += done.links
  }
  return { ...done, empty: done.rows < room }
}

function* takeUploads(sql: Sql, id: string, limit: number): Step<number> {
  const open = yield* all<{ id: string }>(sql`
    SELECT id FROM uploads WHERE repository_id = ${id} AND ended_at IS NULL
    LIMIT ${limit} ${sql.lock('FOR UPDATE')}`)
  if (open.length > 0) {
    yield* endUploads(
      sql,
      open.map((upload) => upload.id),
    )
  }
  return open.length
}

function* takeTags(sql: Sql, id: string, limit: number): Step<number> {
  const deleted = yield* all(sql`
    DELETE FROM tags WHERE repository_id = ${id} AND name IN (
      SELECT name FROM tags WHERE repository_id = ${id} LIMIT ${limit})
    RETURNING name`)
  return deleted.length
}

function* takeHistory(sql: Sql, id: string, limit: number): Step<number> {
  const deleted = yield* all(sql`
    DELETE FROM tag_history WHERE id IN (
      SELECT id FROM tag_history WHERE repository_id = ${id} LIMIT ${limit})
    RETURNING id`)
  return deleted.length
}

function* takeManifests(sql: Sql, id: string, limit: number): Step<{ deleted: number; more: boolean }> {
  const found = yield* all<{ id: number }>(sql`
    SELECT id FROM manifests WHERE repository_id = ${id} LIMIT ${limit} ${sql.lock('FOR UPDATE')}`)
  if (found.length === 0) return { deleted: 0, more: false }
  const taken = yield* deleteManifestRows(
    sql,
    found.map((manifest) => manifest.id),
  )
  return { deleted: taken.manifests, more: !taken.all }
}

function* takeLinks(sql: Sql, id: string, limit: number): Step<number> {
  const deleted = yield* all<{ digest: Digest; blob_id: number }>(sql`
    DELETE FROM repository_blobs WHERE repository_id = ${id} AND digest IN (
      SELECT digest FROM repository_blobs WHERE repository_id = ${id} LIMIT ${limit})
    RETURNING digest, blob_id`)
  yield* addCandidates(
    sql,
    deleted.map(({ blob_id }) => blob_id),
  )
  return deleted.length
}
