import type { Digest, RepositoryName } from '@openregistry/oci'
import { lockRepository } from '../rows/repository.ts'
import { retireManifests } from '../rows/retired-manifest.ts'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.deleteManifest`. */
export function* deleteManifest(
  sql: Sql,
  name: RepositoryName,
  digest: Digest,
  principal: string,
): Step<boolean> {
  const repository = yield* lockRepository(sql, name)
  if (repository === null) return false
  return (yield* retireManifests(sql, { repositoryId: repository.id, principal }, [digest])) > 0
}
