/** An answer, read to its end. */
export interface HttpResponse {
  readonly status: number
  /** Names in lower case; a header that came several times has several values, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: Buffer
  /** The values of a header joined with commas, or null when it is not there. */
  header(name: string): string | null
  /** The body as text. */
  text(): string
  /** The body as JSON. Throws a `SyntaxError` when it is none. */
  json(): unknown
}

/** Names and values in turn, as `rawHeaders` of Node has them. */
export function groupHeaders(raw: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [value])
    else values.push(value)
  }
  return headers
}

/** An answer made of its parts. */
export function httpResponse(
  status: number,
  headers: ReadonlyMap<string, readonly string[]>,
  body: Buffer,
): HttpResponse {
  return {
    status,
    headers,
    body,
    header: (name) => headers.get(name.toLowerCase())?.join(', ') ?? null,
    text: () => body.toString(),
    json: () => JSON.parse(body.toString()) as unknown,
  }
}
