/**
 * The header `Authorization` for a secret in the notation of Kubo's `API.Authorizations` and `--api-auth`:
 * `basic:<user>:<password>`, `bearer:<token>`, or a token by itself.
 */
export function authorizationOf(token: string | null): string | null {
  if (token === null) return null
  if (token.startsWith('basic:')) return `Basic ${Buffer.from(token.slice(6)).toString('base64')}`
  return `Bearer ${token.startsWith('bearer:') ? token.slice(7) : token}`
}
