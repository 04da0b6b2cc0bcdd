import type { IncomingHttpHeaders } from 'node:http'
import { anonymous, operator, type Principal } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'

/** Finds out who asks. What they may do is not decided here. */
export interface Authenticator {
  /**
   * @throws RegistryError `UNAUTHORIZED` when credentials are given and wrong: a client that believes to be logged in is
   * never treated as anonymous.
   */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>
  /** The value of `WWW-Authenticate` with a 401, or null where nobody can log in. */
  readonly challenge: string | null
}

/** Open mode: everybody who reaches the address is the local operator. */
export const openMode: Authenticator = { authenticate: () => operator, challenge: null }

/** Basic authentication (RFC 7617) against something that knows passwords. */
export function basicAuthentication(users: {
  verify(user: string, password: string): Promise<boolean>
}): Authenticator {
  return {
    challenge: 'Basic realm="OpenRegistry", charset="UTF-8"',
    authenticate(headers) {
      const header = headers.authorization
      if (header === undefined) return anonymous
      const credentials = parseBasic(header)
      // What Podman, Skopeo and Buildah send for "I have no credentials".
      if (credentials?.user === '' && credentials.password === '') return anonymous
      if (credentials === null)
        throw new RegistryError('UNAUTHORIZED', 'Only Basic credentials are understood here.')
      return verify(users, credentials)
    },
  }
}

async function verify(
  users: { verify(user: string, password: string): Promise<boolean> },
  { user, password }: { user: string; password: string },
): Promise<Principal> {
  if (await users.verify(user, password)) return { kind: 'user', name: user }
  throw new RegistryError('UNAUTHORIZED', 'Wrong user name or password.')
}

/** User and password of an `Authorization` header, or null. The password may hold colons, the name may not. */
function parseBasic(header: string): { user: string; password: string } | null {
  const match = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(header)
  if (match?.[1] === undefined) return null
  const text = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
