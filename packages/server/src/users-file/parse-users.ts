import { parsePasswordHash, type PasswordHash } from './password-hash.ts'

/** The users file cannot be used. Its message names every bad line. */
export class UsersFileError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'UsersFileError'
    this.problems = problems
  }
}

/**
 * Reads lines of `name:hash`; empty lines and those that begin with `#` are left out.
 * @param file how the file is named in messages
 * @throws UsersFileError with every line that is wrong; hashes are not repeated in it.
 */
export function parseUsers(text: string, file: string): Map<string, PasswordHash> {
  const users = new Map<string, PasswordHash>()
  const problems: string[] = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const refuse = (why: string) => problems.push(`${file}:${index + 1}: ${why}`)
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    if (colon < 1) refuse('expected <name>:<hash>, as "htpasswd -B" writes it')
    else if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) refuse('the name has control characters')
    else if (users.has(name)) refuse(`${name} is there twice`)
    else {
      const hash = parsePasswordHash(line.slice(colon + 1).trim())
      if ('refused' in hash) refuse(`${name}: ${hash.refused}`)
      else users.set(name, hash)
    }
  }
  if (problems.length > 0) throw new UsersFileError(problems)
  return users
}
