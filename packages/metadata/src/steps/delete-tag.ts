import type { RepositoryName, Tag } from '@openregistry/oci'
import { lockRepository } from '../rows/repository.ts'
import { dropTag } from '../rows/tag.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.deleteTag`. */
export function* deleteTag(sql: Sql, name: RepositoryName, tag: Tag, principal: string): Step<boolean> {
  const repository = yield* lockRepository(sql, name)
  if (repository === null) return false
  return yield* dropTag(sql, { repositoryId: repository.id, principal }, tag)
}
