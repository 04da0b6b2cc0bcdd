import type { RepositoryName } from '@openregistry/oci'
import type { ListingScope, RepositoryFacts } from '../ports/metadata-store.ts'
import type { Principal } from './principal.ts'

/** What can be done to a repository. Overwriting a tag and deleting are rights of their own. */
export type RepositoryAction = 'pull' | 'push' | 'tag:overwrite' | 'delete' | 'admin'

/** An action with what it is done to. */
export type Request =
  | { action: RepositoryAction; resource: { kind: 'repository'; name: RepositoryName } }
  | { action: 'ping' | 'list' | 'operate'; resource: { kind: 'instance' } }

/** What was true when the data was read. `repository` is null when there is none of that name. */
export interface Facts {
  repository: RepositoryFacts | null
}

/**
 * An answer with its reason. `visible` says whether the principal may know that the resource exists: when it may not,
 * the answer to the client is the one for something that does not exist.
 */
export type Decision =
  | { allow: true; reason: string }
  | { allow: false; reason: 'credentials-needed' | 'right-missing'; visible: boolean }

const noFacts: Facts = { repository: null }

/**
 * The gate. Every use case asks here before it touches data, and there is no second gate. Pure: the same principal,
 * request and facts give the same decision on every replica.
 *
 * - the operator of open mode may do everything;
 * - a user of the users file may do everything to repositories, and list them;
 * - anonymous may pull what is public, and list it.
 */
export function decide(principal: Principal, request: Request, facts: Facts = noFacts): Decision {
  switch (principal.kind) {
    case 'operator':
      return { allow: true, reason: 'open mode: the network position is trusted' }
    case 'user':
      return { allow: true, reason: 'listed in auth.users_file' }
    case 'anonymous':
      return decideAnonymous(request, facts)
  }
}

function decideAnonymous(request: Request, facts: Facts): Decision {
  const isPublic = facts.repository?.visibility === 'public'
  if (request.action === 'pull' && isPublic) return { allow: true, reason: 'the repository is public' }
  if (request.action === 'list') return { allow: true, reason: 'the list shows public repositories alone' }
  return { allow: false, reason: 'credentials-needed', visible: isPublic }
}

/** Which repositories a list may show this principal; the same rule as {@link decide} for `pull`, as a filter. */
export function listingScope(principal: Principal): ListingScope {
  return principal.kind === 'anonymous' ? { kind: 'public' } : { kind: 'all' }
}
