/**
 * Keys that the documentation of the whole project names and this release does not have. They are refused
 * like any unknown key, with a text that says so.
 */
const laterKeys: readonly [prefix: string, what: string][] = [
  ...['issuer', 'token_ttl', 'github', 'oidc', 'spiffe'].map((key): [string, string] => [
    `auth.${key}`,
    'accounts',
  ]),
  ['gc.untagged_after', 'deleting untagged images by age'],
  ['http.trusted_proxies', 'reading the addresses that proxies report'],
]

/** What a key belongs to that arrives with a later release, or null. */
export function laterKey(key: string): string | null {
  const found = laterKeys.find(([prefix]) => key === prefix || key.startsWith(`${prefix}.`))
  return found?.[1] ?? null
}
