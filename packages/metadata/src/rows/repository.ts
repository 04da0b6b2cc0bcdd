import { randomUUIDv7 } from 'node:crypto'
import type { PlacedRepository, RepositoryFacts, UploadId, Visibility } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { first, hit, TryAgain, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** A repository that is not deleted, as a step sees it. */
export interface RepositoryRow extends RepositoryFacts {
  /** Whether it ever held a manifest. */
  listed: boolean
}

/** The same with what decides where its content may lie. */
export interface JoinedRepository extends RepositoryRow, PlacedRepository {}

interface JoinedRow {
  id: string
  name: RepositoryName
  visibility: Visibility
  listed: unknown
  backend: string | null
  confined: unknown
}

/**
 * The repository of this name, held so that nobody empties it. Whatever changes in its row is no key, its deletion included,
 * so that steps of one repository do not wait for each other here.
 */
export function* lockRepository(sql: Sql, name: RepositoryName): Step<RepositoryRow | null> {
  const row = yield* first<{ id: string; visibility: Visibility; listed: unknown }>(sql`
    SELECT id, visibility, listed FROM live_repositories WHERE name = ${name} ${sql.lock('FOR KEY SHARE')}`)
  return row && { id: row.id, name, visibility: row.visibility, listed: Boolean(row.listed) }
}

/**
 * The repository of this name, held as by {@link lockRepository}, and nobody changes where its content may lie until the
 * step is over. While the turn was waited for somebody may have: what follows from it has to be confirmed in a statement
 * after this one.
 */
export function* joinRepository(sql: Sql, name: RepositoryName): Step<JoinedRepository | null> {
  return joined(
    yield* first<JoinedRow>(sql`
      SELECT id, name, visibility, listed, backend, confined, ${sql.turn('shared', 'id')} AS turn
      FROM live_repositories WHERE name = ${name} ${sql.lock('FOR KEY SHARE')}`),
  )
}

/** The same by the session of an upload. */
export function* joinRepositoryOf(sql: Sql, upload: UploadId): Step<JoinedRepository | null> {
  return joined(
    yield* first<JoinedRow>(sql`
      SELECT r.id, r.name, r.visibility, r.listed, r.backend, r.confined, ${sql.turn('shared', 'r.id')} AS turn
      FROM uploads AS u JOIN live_repositories AS r ON r.id = u.repository_id
      WHERE u.id = ${upload} ${sql.lock('FOR KEY SHARE')}`),
  )
}

/** The same by its id. */
export function* joinRepositoryById(sql: Sql, id: string): Step<JoinedRepository | null> {
  return joined(
    yield* first<JoinedRow>(sql`
      SELECT id, name, visibility, listed, backend, confined, ${sql.turn('shared', 'id')} AS turn
      FROM live_repositories WHERE id = ${id} ${sql.lock('FOR KEY SHARE')}`),
  )
}

/**
 * The repository of this name, to change where its content may lie: nobody else puts anything anywhere until the step is
 * over. Everybody who is about to is waited for.
 */
export function* lockPlacement(sql: Sql, name: RepositoryName): Step<JoinedRepository | null> {
  const found = yield* first<{ id: string }>(sql`
    SELECT id, ${sql.turn('alone', 'id')} AS turn FROM live_repositories WHERE name = ${name}`)
  if (found === null) return null
  const row = yield* lockRow(sql, found.id)
  // It was deleted meanwhile, and may be there anew.
  if (row === null) throw new TryAgain()
  return row
}

/** The same by its id. */
export function* lockPlacementById(sql: Sql, id: string): Step<JoinedRepository | null> {
  const found = yield* first<{ id: string }>(sql`
    SELECT id, ${sql.turn('alone', 'id')} AS turn FROM live_repositories WHERE id = ${id}`)
  return found && (yield* lockRow(sql, found.id))
}

/** In a statement of its own, which sees what the turn was waited for. */
function* lockRow(sql: Sql, id: string): Step<JoinedRepository | null> {
  return joined(
    yield* first<JoinedRow>(sql`
      SELECT id, name, visibility, listed, backend, confined FROM live_repositories
      WHERE id = ${id} ${sql.lock('FOR NO KEY UPDATE')}`),
  )
}

function joined(row: JoinedRow | null): JoinedRepository | null {
  if (row === null) return null
  const { id, name, visibility, backend } = row
  return { id, name, visibility, listed: Boolean(row.listed), backend, confined: Boolean(row.confined) }
}

/** The repository of this name, created if it is not there; held as by {@link joinRepository}. */
export function* ensureRepository(
  sql: Sql,
  name: RepositoryName,
  defaultVisibility: Visibility,
): Step<JoinedRepository> {
  const found = yield* joinRepository(sql, name)
  if (found !== null) return found
  const id = randomUUIDv7()
  const created = yield* hit(sql`
    INSERT INTO repositories (id, name, visibility, created_at)
    VALUES (${id}, ${name}, ${defaultVisibility}, ${sql.now})
    ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING
    RETURNING 1`)
  if (created)
    return { id, name, visibility: defaultVisibility, listed: false, backend: null, confined: false }
  // Somebody else created it between the two queries.
  return yield* ensureRepository(sql, name, defaultVisibility)
}

/** What decides where content of a repository may lie, asked after it was joined. */
export function* placedAs(sql: Sql, { id, name }: RepositoryFacts): Step<PlacedRepository> {
  const row = yield* first<Pick<JoinedRow, 'visibility' | 'backend' | 'confined'>>(sql`
    SELECT visibility, backend, confined FROM repositories WHERE id = ${id}`)
  if (row === null) throw new TryAgain()
  return { name, visibility: row.visibility, backend: row.backend, confined: Boolean(row.confined) }
}
