import type { Digest, RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { decide } from '../access/decide.ts'
import type { Principal } from '../access/principal.ts'
import type { ReferrerRecord, RepositoryFacts } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { pageSize, type Listed, type ListInput } from './paging.ts'

/** Whose referrers, and of which type. */
export interface ListReferrersInput extends ListInput {
  repository: RepositoryName
  subject: Digest
  artifactType: string | null
}

/** Annotations are whatever was pushed, up to a whole manifest each: a page ends after this many bytes of them. */
const pageBytes = 4 * 1024 * 1024

/** Rows read at a time, so that the bound above also bounds memory. */
const readAtOnce = 16

/**
 * Manifests that name `subject` as theirs. An unknown repository or subject has none: the specification wants 200 for
 * both ("Listing Referrers"), so only missing credentials are an error.
 *
 * @throws RegistryError `UNAUTHORIZED`.
 */
export async function listReferrers(
  ports: Ports,
  principal: Principal,
  input: ListReferrersInput,
): Promise<Listed<ReferrerRecord>> {
  const limit = pageSize(input.n, ports.settings.limits.page)
  const items: ReferrerRecord[] = []
  let after = input.last
  let more = limit > 0
  let bytes = 0
  do {
    const found = await ports.metadata.listReferrers(input.repository, input.subject, input.artifactType, {
      after,
      limit: Math.min(readAtOnce, limit - items.length),
    })
    // Whoever may not know of the repository gets the answer for one that is not there.
    if (!maySee(principal, input.repository, found?.repository ?? null) || found === null)
      return { items: [], next: null }
    for (const record of found.page.items) {
      items.push(record)
      bytes += weight(record)
    }
    after = items.at(-1)?.digest ?? after
    more = found.page.more
  } while (more && items.length < limit && bytes < pageBytes)
  return { items, next: more && items.length > 0 ? after : null }
}

/** @throws RegistryError `UNAUTHORIZED` when credentials could change the answer. */
function maySee(principal: Principal, name: RepositoryName, facts: RepositoryFacts | null): boolean {
  const decision = decide(
    principal,
    { action: 'pull', resource: { kind: 'repository', name } },
    { repository: facts },
  )
  if (!decision.allow && decision.reason === 'credentials-needed') authorize(principal, 'pull', name, facts)
  return decision.allow
}

/** About how many bytes an entry takes in the answer. */
function weight({ annotations }: ReferrerRecord): number {
  let bytes = 300
  for (const name in annotations) bytes += name.length + (annotations[name]?.length ?? 0)
  return bytes
}
