import { RegistryError } from './errors.ts'

/** Hash functions that a registry of the distribution specification names content with. */
export type DigestAlgorithm = 'sha256' | 'sha512'

declare const digest: unique symbol

/** A digest that was checked: `sha256:` and 64, or `sha512:` and 128, lower-case hex digits. */
export type Digest = string & { readonly [digest]: true }

/** Bytes that each algorithm gives. */
const digestSize: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha512: 64 }

const form = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
const algorithmForm = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*$/
const longest = 'sha512:'.length + 128

/** Whether the text is a digest that this registry supports. */
export function isDigest(text: string): text is Digest {
  return form.test(text)
}

/**
 * A digest as a client wrote it (image specification, "Digests"; sha256 and sha512 are the registered algorithms).
 * @throws RegistryError `DIGEST_INVALID`, saying which part is wrong.
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new RegistryError('DIGEST_INVALID', `Not a digest: ${reasonAgainst(text)}`)
}

/** The algorithm of a digest. */
export function digestAlgorithm(d: Digest): DigestAlgorithm {
  return d.startsWith('sha256:') ? 'sha256' : 'sha512'
}

/** The hex digits of a digest, without its algorithm. */
export function digestHex(d: Digest): string {
  return d.slice(d.indexOf(':') + 1)
}

/**
 * The digest that these bytes are.
 * @throws RegistryError `INTERNAL` when there are not as many as the algorithm gives: a fault of the caller.
 */
export function formatDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  if (bytes.length !== digestSize[algorithm]) {
    throw new RegistryError('INTERNAL', `A ${algorithm} digest cannot have ${bytes.length} bytes.`)
  }
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return `${algorithm}:${hex}` as Digest
}

/** The bytes of a digest: 32 of sha256, 64 of sha512. */
export function digestBytes(d: Digest): Uint8Array {
  const hex = digestHex(d)
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** What to tell a client about a text that is no digest. The text itself is not repeated: it may be of any length. */
function reasonAgainst(text: string): string {
  if (text.length <= longest && isDigest(text.toLowerCase())) return 'its letters must be lower-case.'
  const colon = text.indexOf(':')
  if (colon === -1) return 'expected <algorithm>:<hex>, found no colon.'
  const algorithm = text.slice(0, colon)
  const encoded = text.slice(colon + 1)
  if (algorithm.length > 64 || !algorithmForm.test(algorithm))
    return 'its algorithm is malformed; use sha256 or sha512.'
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    return `the algorithm ${algorithm} is not supported; use sha256 or sha512.`
  }
  const expected = 2 * digestSize[algorithm]
  if (encoded.length !== expected) {
    return `${algorithm} needs ${expected} hex digits after the colon, found ${encoded.length} characters.`
  }
  return `${algorithm} needs hex digits (0-9, a-f) after the colon.`
}
