/**
 * Who asks. Today: the local operator of open mode, somebody of `auth.users_file`, and everybody else; robots,
 * workloads and nodes join this union with accounts.
 */
export type Principal = { kind: 'operator' } | { kind: 'user'; name: string } | { kind: 'anonymous' }

/** The one local operator of open mode: trusted for the network position. */
export const operator: Principal = { kind: 'operator' }

/** Whoever gave no credentials. */
export const anonymous: Principal = { kind: 'anonymous' }

/** How a principal is written in rows and log lines. Unique: a user named `operator` is not the operator. */
export function principalName(principal: Principal): string {
  return principal.kind === 'user' ? `user:${principal.name}` : principal.kind
}
