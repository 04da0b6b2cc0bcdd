/** What stands in place of a secret. */
export const redacted = '[redacted]'

/** Names of fields, headers and variables whose values are secrets. `key` alone is not: storage keys are no secret. */
const secretName =
  /authorization|cookie|passw(?:or)?d|passphrase|secret|token|credential|bearer|jwt|session_?id|api[-_]?key|private[-_]?key/i

/** Secrets inside other text: values of an Authorization header, and credentials in addresses. */
const secretText = [
  // Not "basic authentication" or "bearer token": what follows is no plain word.
  /\b(?:Basic|Bearer)\s+(?![a-z]+\b)[A-Za-z0-9+/=._~-]{4,}/gi,
  /(?<=[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/@]*(?=@)/gi,
  /(?<=[?&](?:[a-z_-]*token|password|secret|api_?key|sig(?:nature)?)=)[^&\s"']+/gi,
]

/** How deep an entry is followed; below that only its kind is written. */
const depthLimit = 6

/**
 * A copy of what is to be logged that holds no secret: values under names that mean one are replaced, and so is what
 * looks like one inside text. Everything passes through here, so a careless caller cannot leak what it was handed.
 */
export function redact(fields: object): Record<string, unknown> {
  return copyEntries(Object.entries(fields), 0)
}

/** {@link redact} for text. */
export function redactText(text: string): string {
  return secretText.reduce((result, pattern) => result.replace(pattern, redacted), text)
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth >= depthLimit) return Array.isArray(value) ? '[list]' : '[object]'
  if (value instanceof Error) return copyError(value, depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return copyList(value, depth)
  if (value instanceof Map) return copyEntries(value.entries(), depth)
  if (value instanceof Set) return copyList([...value], depth)
  if (value instanceof URL) return redactText(value.href)
  if (value instanceof Headers || value instanceof URLSearchParams) return copyEntries(value.entries(), depth)
  return copyEntries(Object.entries(value), depth)
}

/** `['authorization', 'Basic …', …]`, as `rawHeaders` has them, is a list of names and values. */
function copyList(values: readonly unknown[], depth: number): unknown[] {
  return values.map((value, index) => {
    const before = values[index - 1]
    const followsName = typeof before === 'string' && before.length < 64 && secretName.test(before)
    return followsName && typeof value === 'string' ? redacted : copy(value, depth + 1)
  })
}

function copyEntries(entries: Iterable<[unknown, unknown]>, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    const name = typeof key === 'string' ? key : typeof key === 'number' ? String(key) : `[${typeof key}]`
    // Not by assignment: a field called __proto__ is a field.
    const kept =
      secretName.test(name) && value !== null && value !== undefined ? redacted : copy(value, depth + 1)
    Object.defineProperty(result, name, { value: kept, enumerable: true, configurable: true })
  }
  return result
}

function copyError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...rest } = error
  return {
    name: error.name || name,
    message: redactText(message),
    ...copyEntries(Object.entries(rest), depth),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...(cause === undefined ? {} : { cause: copy(cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: copyList(error.errors, depth) } : {}),
  }
}
