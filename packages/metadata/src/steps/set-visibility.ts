import type { PlacementRules, RepositoryFacts, Visibility } from '@openregistry/core'
import { backendsFor } from '@openregistry/core/placement'
import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { exposureOf, type Exposure } from '../rows/exposure.ts'
import { beginPassesAnew } from '../rows/replication.ts'
import { lockPlacement } from '../rows/repository.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.setVisibility`. One row changes, whatever is in the repository; its rows follow in steps of their own. */
export function* setVisibility(
  sql: Sql,
  name: RepositoryName,
  visibility: Visibility,
  rules: PlacementRules,
): Step<RepositoryFacts | null> {
  const repository = yield* lockPlacement(sql, name)
  if (repository === null) return null
  const { id } = repository
  if (repository.visibility !== visibility) {
    const closing = visibility === 'private' && rules.public.length > 0
    if (closing) refuseExposed(yield* exposureOf(sql, id, rules), { name, rules })
    yield* run(sql`UPDATE repositories SET visibility = ${visibility}, unsettled = TRUE WHERE id = ${id}`)
  }
  if (visibility === 'public' && (repository.visibility !== visibility || repository.confined))
    yield* release(sql, id)
  return { id, name, visibility }
}

/** Lets second copies of it lie in public backends. */
function* release(sql: Sql, id: string): Step<void> {
  yield* run(sql`UPDATE repositories SET confined = FALSE WHERE id = ${id} AND confined`)
  yield* beginPassesAnew(sql)
}

/** "a, b and c" */
const listed = new Intl.ListFormat('en-GB')

/** @throws RegistryError `CONFLICT` saying what lies where, what to do, and what cannot be undone. */
function refuseExposed(
  { backends, blobs, bytes, uploads, layouts }: Exposure,
  { name, rules }: { name: RepositoryName; rules: PlacementRules },
): void {
  if (backends.length === 0) return
  const what = [
    ...(blobs > 0 ? [`${blobs} ${blobs === 1 ? 'blob' : 'blobs'} of it`] : []),
    ...(uploads > 0 ? [`${uploads} ${uploads === 1 ? 'upload' : 'uploads'} to it`] : []),
    ...(layouts > 0 ? [`${layouts} image ${layouts === 1 ? 'layout' : 'layouts'} of it`] : []),
  ]
  const [target] = backendsFor(rules, { name, visibility: 'private', backend: null, confined: true })
  const advice =
    target === undefined
      ? `Configure a backend that is not public first.`
      : `Move it first: openregistry move ${name} --to ${target}`
  throw new RegistryError(
    'CONFLICT',
    `${name} stays public: ${listed.format(what)} ${blobs + uploads + layouts === 1 ? 'is' : 'are'} in public storage (${backends.join(', ')}). ` +
      `${advice}. Copies that others have fetched from there cannot be recalled.`,
    { detail: { backends, blobs, bytes, uploads, layouts } },
  )
}
