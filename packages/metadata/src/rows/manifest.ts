import type { ManifestReference, PlacementRules, PutManifest } from '@openregistry/core'
import { RegistryError, type Digest } from '@openregistry/oci'
import { all, first, run, runEach, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { freeLinks, lockGoodLinks, lockLinks, releaseLinks } from './link.ts'
import { requireAllowed } from './placed.ts'
import type { RepositoryRow } from './repository.ts'

/** A row of `manifests` and whether its references have to be written. */
interface ManifestRow {
  id: number
  changed: boolean
}

/** What a step reads of a manifest that is there already, deleted or not. */
interface FoundManifest {
  id: number
  media_type: string
  artifact_type: string | null
  subject: string | null
  pushed_at: number
  deleted_at: number | null
  /** When its subject was deleted, if it was; and that of which a tag says that this belongs to it. */
  subject_gone_at: number | null
  companion_gone_at: number | null
}

/**
 * Tags of one manifest that are looked at for companions. One with more of them has its push noted each time, which costs
 * a write, but not a look at them all.
 */
const tagsAtMost = 50

/**
 * The links that a manifest needs, locked and freed of their leases.
 * @throws RegistryError `MANIFEST_BLOB_UNKNOWN` naming the blobs that are not linked here, are hidden, or have no good
 * bytes left: whatever a client would be told is not here; `CONFLICT` as {@link requireAllowed}.
 */
export function* claimLinks(
  sql: Sql,
  repository: RepositoryRow,
  references: readonly ManifestReference[],
  rules: PlacementRules,
): Step<void> {
  const digests = references.map((reference) => reference.digest)
  const links = yield* lockGoodLinks(sql, repository.id, digests)
  const missing = references
    .filter(({ kind, digest }) => kind === 'blob' && !links.good.has(digest))
    .map(({ digest }) => digest)
  if (missing.length > 0) {
    throw new RegistryError(
      'MANIFEST_BLOB_UNKNOWN',
      'The manifest needs blobs that are not in this repository; push them first.',
      { detail: { missing } },
    )
  }
  yield* requireAllowed(sql, repository, links, rules)
  if (links.pending) yield* freeLinks(sql, repository.id, digests)
}

/**
 * The row of a manifest: new, revived, or as it was. Its push is later than the deletion of what it belongs to, whatever
 * the clock says: the collector goes by that. Whether its repository is private is noted as in `linkBlob`.
 */
export function* ensureManifest(
  sql: Sql,
  repositoryId: string,
  blobId: number,
  input: PutManifest,
): Step<ManifestRow> {
  const annotations = input.annotations === null ? null : JSON.stringify(input.annotations)
  const created = yield* first<{ id: number }>(sql`
    INSERT INTO manifests (repository_id, digest, blob_id, size, media_type, artifact_type, subject, annotations,
      pushed_by, pushed_at, known_private)
    VALUES (${repositoryId}, ${input.digest}, ${blobId}, ${input.bytes.length}, ${input.mediaType},
      ${input.artifactType}, ${input.subject}, ${annotations}, ${input.principal},
      COALESCE((
        SELECT CASE WHEN s.deleted_at >= ${sql.now} THEN s.deleted_at + 1 END FROM manifests AS s
        WHERE s.repository_id = ${repositoryId} AND s.digest = ${input.subject}), ${sql.now}),
      (SELECT r.visibility = 'private' FROM repositories AS r WHERE r.id = ${repositoryId}))
    ON CONFLICT (repository_id, digest) DO NOTHING
    RETURNING id`)
  if (created !== null) return { id: created.id, changed: true }
  const found = yield* first<FoundManifest>(sql`
    SELECT m.id, m.media_type, m.artifact_type, m.subject, m.pushed_at, m.deleted_at,
      (SELECT s.deleted_at FROM manifests AS s
        WHERE s.repository_id = m.repository_id AND s.digest = ${input.subject}) AS subject_gone_at,
      (SELECT CASE WHEN count(*) >= ${tagsAtMost} THEN ${sql.now} ELSE max((
          SELECT max(s.deleted_at) FROM manifests AS s
          WHERE s.repository_id = m.repository_id
            AND s.digest >= substr(found.name, 1, 6) || ':' || substr(found.name, 8, 64)
            AND s.digest < substr(found.name, 1, 6) || ':' || substr(found.name, 8, 64) || 'g')) END
        FROM (SELECT name FROM tags WHERE manifest_id = m.id LIMIT ${tagsAtMost}) AS found
      ) AS companion_gone_at
    FROM manifests AS m
    WHERE m.repository_id = ${repositoryId} AND m.digest = ${input.digest} ${sql.lock('FOR NO KEY UPDATE')}`)
  // Collected between the two queries.
  if (found === null) return yield* ensureManifest(sql, repositoryId, blobId, input)
  const changed = !isSame(found, input)
  if (changed) {
    // Deleted before, or the same bytes under another media type: the newest push says what they are.
    yield* run(sql`
      UPDATE manifests SET media_type = ${input.mediaType}, artifact_type = ${input.artifactType},
        subject = ${input.subject}, annotations = ${annotations}, deleted_at = NULL
      WHERE id = ${found.id}`)
  }
  const goneAt = Math.max(found.subject_gone_at ?? 0, found.companion_gone_at ?? 0)
  if (changed || goneAt >= found.pushed_at) {
    const earliest = goneAt + 1
    yield* run(sql`
      UPDATE manifests SET pushed_by = ${input.principal},
        pushed_at = CASE WHEN ${earliest} > ${sql.now} THEN ${earliest} ELSE ${sql.now} END
      WHERE id = ${found.id}`)
  }
  return { id: found.id, changed }
}

function isSame(found: FoundManifest, input: PutManifest): boolean {
  return (
    found.deleted_at === null &&
    found.media_type === input.mediaType &&
    found.artifact_type === input.artifactType &&
    found.subject === input.subject
  )
}

/** Writes what a manifest needs, in place of what it needed when it was pushed before. */
export function* replaceReferences(
  sql: Sql,
  repositoryId: string,
  manifestId: number,
  references: readonly ManifestReference[],
): Step<void> {
  const before = yield* all<{ digest: Digest }>(sql`
    DELETE FROM manifest_refs WHERE manifest_id = ${manifestId} RETURNING digest`)
  yield* runEach(
    references.map(
      ({ digest, kind }) => sql`
        INSERT INTO manifest_refs (manifest_id, digest, repository_id, kind, live)
        VALUES (${manifestId}, ${digest}, ${repositoryId}, ${kind}, TRUE)
        ON CONFLICT (manifest_id, digest) DO NOTHING`,
    ),
  )
  const needed = new Set(references.map(({ digest }) => digest))
  const dropped = before.map(({ digest }) => digest).filter((digest) => !needed.has(digest))
  if (dropped.length === 0) return
  yield* lockLinks(sql, repositoryId, dropped)
  yield* releaseLinks(sql, repositoryId, dropped)
}

/**
 * Which of these digests are no live manifests of the repository. Those that are stay until the step is over, and see that
 * they are needed then; so this comes after the references were written.
 */
export function* missingChildren(
  sql: Sql,
  repositoryId: string,
  references: readonly ManifestReference[],
): Step<Digest[]> {
  const children = references.filter(({ kind }) => kind === 'manifest').map(({ digest }) => digest)
  if (children.length === 0) return []
  const present = yield* all<{ digest: string }>(sql`
    SELECT digest FROM live_manifests WHERE repository_id = ${repositoryId} AND digest IN ${sql.texts(children)}
    ${sql.lock('FOR KEY SHARE')}`)
  const known = new Set(present.map(({ digest }) => digest))
  return children.filter((digest) => !known.has(digest))
}
