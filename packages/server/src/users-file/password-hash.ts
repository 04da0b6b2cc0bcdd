import { parseArgon2id } from './argon2id.ts'
import { parseBcrypt } from './bcrypt.ts'

/** A password as it is kept: checking one costs time and memory on purpose, so a password is hard to guess from it. */
export interface PasswordHash {
  /** Whether this is the password. Works off the event loop. */
  verify(password: string): Promise<boolean>
}

/** A hash that is not accepted, and why. */
export interface RefusedHash {
  refused: string
}

/** What to do about any hash that is refused. */
const remedy = 'set it anew with "htpasswd -B <file> <name>"'

/** Schemes of htpasswd that can be guessed at billions of passwords a second, by what their hashes begin with. */
const weakSchemes: readonly [RegExp, string][] = [
  [/^\$apr1\$|^\$1\$/, 'MD5'],
  [/^\{SHA\}/i, 'unsalted SHA-1'],
  [/^\{SSHA\}/i, 'SHA-1'],
  [/^\$5\$/, 'SHA-256 crypt'],
  [/^\$6\$/, 'SHA-512 crypt'],
  [/^\$argon2(?:i|d)\$/, 'argon2i or argon2d'],
  [/^\$2x\$/, 'faulty bcrypt ($2x$)'],
]

/** Reads a hash in the notation of htpasswd (bcrypt) or of PHC strings (argon2id); nothing weaker is accepted. */
export function parsePasswordHash(text: string): PasswordHash | RefusedHash {
  if (/^\$2[aby]\$/.test(text)) return parseBcrypt(text)
  if (text.startsWith('$argon2id$')) return parseArgon2id(text)
  const weak = weakSchemes.find(([form]) => form.test(text))
  const what = weak === undefined ? 'a plain password, crypt, or damaged' : weak[1]
  return { refused: `the password is ${what}; only bcrypt and argon2id are accepted: ${remedy}` }
}
