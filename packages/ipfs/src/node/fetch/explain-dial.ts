/** What is known of a connection that was tried. */
export interface Dialed {
  /** Milliseconds that it had. */
  readonly limit: number
  /** Whether it was in a private network. */
  readonly isPrivate: boolean
}

/** Faults that have nothing to do with the key of a private network. */
const outside: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND'])

/** Tells people why there is no connection, and what a private network has to do with it. */
export function explainDial(cause: unknown, { limit, isPrivate }: Dialed): never {
  const { name, message, code } = cause as Error & { code?: unknown }
  const [, other] = /identity key (\S+) does not match/.exec(message) ?? []
  if (other !== undefined) throw new Error(`another peer is there (${other})`, { cause })
  const isLate = name === 'TimeoutError' || name === 'AbortError'
  const fault = isLate
    ? `it does not answer within ${limit / 1000} seconds`
    : `it cannot be reached (${message})`
  const isStranger = isPrivate ? !outside.has(code) : name === 'EncryptionFailedError'
  throw new Error(isStranger ? `${fault}; ${hint(isPrivate)}` : fault, { cause })
}

const hint = (isPrivate: boolean): string =>
  isPrivate ? 'it may have another swarm key' : 'it may be in a private network'
