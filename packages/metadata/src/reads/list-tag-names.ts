import type { Page, PageRequest, RepositoryFacts, Visibility } from '@openregistry/core'
import type { RepositoryName, Tag } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

interface Found {
  id: string
  visibility: Visibility
  listed: unknown
  /** One value to hand over instead of a row for each tag, which takes most of the time otherwise. */
  names: string | null
}

/** Greater than every tag. */
const end = '{'

/**
 * See `MetadataStore.listTagNames`. The page is a range up to the first tag that is on it no more: to aggregate a subquery
 * with a limit takes SQLite twice as long.
 */
export function* listTagNames(
  sql: Sql,
  name: RepositoryName,
  page: PageRequest<string>,
): Step<{ repository: RepositoryFacts; page: Page<Tag> } | null> {
  const found = yield* first<Found>(sql`
    SELECT r.id, r.visibility, r.listed, (
      SELECT ${sql.joinedNames} FROM tags AS t WHERE t.repository_id = r.id AND t.name > ${startAfter(page)}
        AND t.name < COALESCE((
          SELECT n.name FROM tags AS n WHERE n.repository_id = r.id AND n.name > ${startAfter(page)}
          ORDER BY n.name LIMIT 1 OFFSET ${rowsFor(page)}), ${end})) AS names
    FROM live_repositories AS r WHERE r.name = ${name}`)
  if (found === null || !found.listed) return null
  return {
    repository: { id: found.id, name, visibility: found.visibility },
    page: pageOf(inOrder(found.names), page, (tag) => tag),
  }
}

/** The database has chosen the names by their order, and hands them over in any; tags are ASCII, so this one is bytewise. */
function inOrder(names: string | null): Tag[] {
  return names === null ? [] : (names.split(' ') as Tag[]).sort()
}
