/** What a surface answers, whatever carries it. Whoever gets it closes it; `await using` does. */
export interface ContentAnswer extends AsyncDisposable {
  readonly status: 200 | 206 | 304
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the body, that of a HEAD request included; null where nobody can say. */
  readonly length: number | null
  /** Chunks are valid until the next one is asked for. Null for HEAD, and with 304. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null
}

/** What a request says besides what it asks for. */
export interface Conditions {
  readonly method: 'GET' | 'HEAD'
  /** `If-None-Match`. */
  readonly ifNoneMatch?: string | undefined
  /** `Range`; content that has no ranges ignores it. */
  readonly range?: string | undefined
  /** `If-Range`: the range is meant for content of this entity tag. */
  readonly ifRange?: string | undefined
  /** `Cache-Control: only-if-cached`: who asks knows a missing root from a slow one by it. */
  readonly onlyIfCached?: boolean
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
}

/** An answer that holds nothing open. */
export function plainAnswer(answer: Omit<ContentAnswer, typeof Symbol.asyncDispose>): ContentAnswer {
  return { ...answer, [Symbol.asyncDispose]: () => Promise.resolve() }
}

/** Content under its CID never changes (Path Gateway Specification, "Cache-Control"). */
export const immutable = 'public, max-age=29030400, immutable'

/** Whether the client has this already (RFC 9110, 13.1.2): compared weakly. */
export function isNotModified(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque)
}

/**
 * Has a browser save what it gets, and show none of it.
 * @param name of the file; characters that a header cannot hold are written twice (RFC 6266, 4.3).
 */
export function attachment(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  if (plain === name) return `attachment; filename="${plain}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
