import type { Digest, RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { decide } from '../access/decide.ts'
import type { Principal } from '../access/principal.ts'
import type { ReferrerRecord } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { pageSize, type Listed, type ListInput } from './paging.ts'

/** Whose referrers, and of which type. */
export interface ListReferrersInput extends ListInput {
  repository: RepositoryName
  subject: Digest
  artifactType: string | null
}

/**
 * Manifests that name `subject` as theirs. An unknown repository or subject has none: the specification wants 200 for
 * both ("Listing Referrers"), so only missing credentials are an error.
 *
 * @throws RegistryError `UNAUTHORIZED`.
 */
export async function listReferrers(
  { metadata, settings }: Ports,
  principal: Principal,
  { repository, subject, artifactType, last, n }: ListReferrersInput,
): Promise<Listed<ReferrerRecord>> {
  const limit = pageSize(n, settings.limits.page)
  const found = await metadata.listReferrers(repository, subject, artifactType, { after: last, limit })
  const facts = found?.repository ?? null
  const request = { action: 'pull', resource: { kind: 'repository', name: repository } } as const
  const decision = decide(principal, request, { repository: facts })
  if (!decision.allow && decision.reason === 'credentials-needed')
    authorize(principal, 'pull', repository, facts)
  // Whoever may not know of the repository gets the answer for one that is not there.
  if (found === null || !decision.allow) return { items: [], next: null }
  const { items, more } = found.page
  return { items, next: more && limit > 0 ? (items.at(-1)?.digest ?? null) : null }
}
