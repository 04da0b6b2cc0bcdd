import { randomUUIDv7 } from 'node:crypto'
import type { RepositoryFacts, Visibility } from '@openregistry/core'
import type { RepositoryName } from '@openregistry/oci'
import { first, hit, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** A repository that is not deleted, as a step sees it. */
export interface RepositoryRow extends RepositoryFacts {
  /** Whether it ever held a manifest. */
  listed: boolean
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

/** The repository of this name, created if it is not there. */
export function* ensureRepository(
  sql: Sql,
  name: RepositoryName,
  defaultVisibility: Visibility,
): Step<RepositoryRow> {
  const found = yield* lockRepository(sql, name)
  if (found !== null) return found
  const id = randomUUIDv7()
  const created = yield* hit(sql`
    INSERT INTO repositories (id, name, visibility, created_at)
    VALUES (${id}, ${name}, ${defaultVisibility}, ${sql.now})
    ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING
    RETURNING 1`)
  if (created) return { id, name, visibility: defaultVisibility, listed: false }
  // Somebody else created it between the two queries.
  return yield* ensureRepository(sql, name, defaultVisibility)
}
