import type { Page, PageRequest, RepositoryFacts, Visibility } from '@openregistry/core'
import type { RepositoryName, Tag } from '@openregistry/oci'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { pageOf, rowsFor, startAfter } from './page.ts'

interface Found {
  id: string
  visibility: Visibility
  listed: unknown
  /** JSON: one value to hand over instead of a row for each tag, which takes most of the time otherwise. */
  names: string
}

/** See `MetadataStore.listTagNames`. */
export function* listTagNames(
  sql: Sql,
  name: RepositoryName,
  page: PageRequest<string>,
): Step<{ repository: RepositoryFacts; page: Page<Tag> } | null> {
  const found = yield* first<Found>(sql`
    SELECT r.id, r.visibility, r.listed, (
      SELECT ${sql.jsonArrayOfNames} FROM (
        SELECT t.name FROM tags AS t WHERE t.repository_id = r.id AND t.name > ${startAfter(page)}
        ORDER BY t.name LIMIT ${rowsFor(page)}) AS page) AS names
    FROM live_repositories AS r WHERE r.name = ${name}`)
  if (found === null || !found.listed) return null
  return {
    repository: { id: found.id, name, visibility: found.visibility },
    page: pageOf(inOrder(found.names), page, (tag) => tag),
  }
}

/** The database has chosen the names by their order, and hands them over in any; tags are ASCII, so this one is bytewise. */
function inOrder(names: string): Tag[] {
  return (JSON.parse(names) as Tag[]).sort()
}
