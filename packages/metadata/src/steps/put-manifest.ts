import type { PutManifest } from '@openregistry/core'
import type { Digest } from '@openregistry/oci'
import { ensureBlob } from '../rows/blob.ts'
import { ensureLocation, inlineBackend } from '../rows/location.ts'
import { claimLinks, ensureManifest, missingChildren, replaceReferences } from '../rows/manifest.ts'
import { manifestShape } from '../rows/manifest-content.ts'
import { ensureRepository } from '../rows/repository.ts'
import { moveTag } from '../rows/tag.ts'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `MetadataStore.putManifest`. */
export function* putManifest(sql: Sql, input: PutManifest): Step<{ missing: Digest[] }> {
  const repository = yield* ensureRepository(sql, input.repository, input.defaultVisibility)
  if (input.references.length > 0) yield* claimLinks(sql, repository, input.references, input.rules)
  const blob = yield* ensureBlob(sql, {
    sha256: input.sha256,
    sha512: input.sha512,
    size: input.bytes.length,
    cid: input.cid,
    ...manifestShape(input.bytes, input.sha256),
  })
  yield* ensureLocation(sql, blob, inlineBackend, { kind: 'inline', bytes: input.bytes })
  const manifest = yield* ensureManifest(sql, repository.id, blob.id, input)
  if (manifest.changed) yield* replaceReferences(sql, repository.id, manifest.id, input.references)
  const missing = yield* missingChildren(sql, repository.id, input.references)
  // One order for all steps, as with links.
  for (const tag of [...input.tags].sort()) {
    yield* moveTag(sql, { repositoryId: repository.id, principal: input.principal }, tag, {
      id: manifest.id,
      digest: input.digest,
    })
  }
  if (!repository.listed) {
    yield* run(sql`UPDATE repositories SET listed = TRUE WHERE id = ${repository.id} AND NOT listed`)
  }
  return { missing }
}
