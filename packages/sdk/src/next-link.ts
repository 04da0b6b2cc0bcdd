/** The target of the link with `rel="next"` in a `Link` header (RFC 8288), or null. */
export function nextLink(header: string | null): string | null {
  for (const [, target, parameters = ''] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^,;<]+)*)/g)) {
    if (target !== undefined && /;\s*rel\s*=\s*"?next"?\s*(?:;|$)/i.test(parameters)) return target
  }
  return null
}
