import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { silentLogger, type Logger } from '../log/logger.ts'
import { BoundedWork } from './bounded-work.ts'
import { parseUsers, UsersFileError } from './parse-users.ts'
import type { PasswordHash } from './password-hash.ts'
import { VerifiedPasswords } from './verified-passwords.ts'

/** How long the file is trusted not to have changed, in milliseconds. */
const checkInterval = 1000
/** Nobody's password is longer than this, in UTF-16 code units. */
const longestPassword = 4096

/** Users with their passwords, from a file that may change at any time. */
export interface UsersFile {
  /** How many users it has. */
  readonly size: number
  /**
   * Whether this is the password of this user. A user who is not there takes as long as one who is.
   * @throws RegistryError `TOOMANYREQUESTS` when too many passwords are being checked already.
   */
  verify(user: string, password: string): Promise<boolean>
}

/**
 * Opens a users file: lines of `name:hash`, hashes of bcrypt or argon2id.
 *
 * Changes count within a second. A version of the file that is damaged or away is logged, and the last good one stays
 * in force: a half-saved file must not lock everybody out.
 * @param now a clock in milliseconds that never goes back
 * @throws UsersFileError when the file is missing or has bad lines.
 */
export async function openUsersFile(
  path: string,
  options: { log?: Logger; now?: () => number } = {},
): Promise<UsersFile> {
  const file = new WatchedUsers(path, options.log ?? silentLogger, options.now ?? (() => performance.now()))
  await file.open()
  return file
}

class WatchedUsers implements UsersFile {
  readonly #path: string
  readonly #log: Logger
  readonly #now: () => number
  readonly #verified: VerifiedPasswords
  readonly #inFlight = new Map<string, Promise<boolean>>()
  // Half of the machine at most: the rest serves those who are logged in.
  readonly #work = new BoundedWork({
    width: Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2))),
    queue: 100,
  })
  #users = new Map<string, PasswordHash>()
  #hashes: readonly PasswordHash[] = []
  #signature = ''
  #checkedAt = 0
  #checking: Promise<void> | null = null

  constructor(path: string, log: Logger, now: () => number) {
    this.#path = path
    this.#log = log
    this.#now = now
    this.#verified = new VerifiedPasswords(now)
  }

  get size(): number {
    return this.#users.size
  }

  async open(): Promise<void> {
    this.#checkedAt = this.#now()
    try {
      this.#signature = await signatureOf(this.#path)
      this.#replace(parseUsers(await readFile(this.#path, 'utf8'), this.#path))
    } catch (error) {
      if (error instanceof UsersFileError) throw error
      throw new UsersFileError([`${this.#path}: cannot be read: ${(error as Error).message}`])
    }
  }

  async verify(user: string, password: string): Promise<boolean> {
    if (password.length > longestPassword) return false
    if (this.#now() - this.#checkedAt >= checkInterval) await this.#check()
    const key = this.#verified.keyOf(user, password)
    if (this.#verified.has(key)) return true
    // A client that pushes ten layers at once asks ten times the same thing.
    let answer = this.#inFlight.get(key)
    if (answer === undefined) {
      answer = this.#compute(user, password, key).finally(() => this.#inFlight.delete(key))
      this.#inFlight.set(key, answer)
    }
    return answer
  }

  async #compute(user: string, password: string, key: string): Promise<boolean> {
    const users = this.#users
    const known = users.get(user)
    // Work as for somebody who is there, and always the same somebody, so that time tells nothing about names.
    const hash = known ?? this.#hashes[this.#verified.pick(user, this.#hashes.length)]
    if (hash === undefined) return false
    const right = (await this.#work.run(() => hash.verify(password))) && known !== undefined
    // A password that was taken away while it was checked is not remembered.
    if (right && users === this.#users) this.#verified.add(key)
    return right
  }

  /** Looks whether the file has changed; everybody who asks meanwhile waits for the same look. */
  async #check(): Promise<void> {
    this.#checking ??= this.#reload().finally(() => {
      this.#checkedAt = this.#now()
      this.#checking = null
    })
    await this.#checking
  }

  async #reload(): Promise<void> {
    let signature: string
    try {
      signature = await signatureOf(this.#path)
    } catch (error) {
      signature = `away: ${(error as NodeJS.ErrnoException).code}`
    }
    if (signature === this.#signature) return
    this.#signature = signature
    try {
      this.#replace(parseUsers(await readFile(this.#path, 'utf8'), this.#path))
      this.#log.info('users_file_reload', { users: this.#users.size })
    } catch (error) {
      const message = 'The users file cannot be used; its last good version stays in force.'
      this.#log.error('users_file_invalid', { error, message })
    }
  }

  #replace(users: Map<string, PasswordHash>): void {
    this.#users = users
    this.#hashes = [...users.values()]
    this.#verified.clear()
    this.#inFlight.clear()
  }
}

/** Changes whenever the file does. */
async function signatureOf(path: string): Promise<string> {
  const { mtimeMs, ctimeMs, size, ino } = await stat(path)
  return [mtimeMs, ctimeMs, size, ino].join(' ')
}
