import { createHmac, randomBytes } from 'node:crypto'

/** How long a password that was right is not computed again, in milliseconds. Clients send it with every request. */
const lifetime = 60_000
/** How many are remembered. */
const capacity = 1000

/**
 * Remembers which passwords were right a moment ago. It holds no passwords: entries are keyed by a hash under a key
 * that lives in this process only.
 */
export class VerifiedPasswords {
  readonly #key = randomBytes(32)
  readonly #expiry = new Map<string, number>()
  readonly #now: () => number

  /** @param now a clock in milliseconds that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** What stands for a user with a password. The length keeps `ab` + `c` and `a` + `bc` apart. */
  keyOf(user: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${user.length}:${user}${password}`).digest('base64')
  }

  /** Whether this was right less than {@link lifetime} ago. */
  has(key: string): boolean {
    const expiry = this.#expiry.get(key)
    if (expiry === undefined) return false
    if (expiry > this.#now()) return true
    this.#expiry.delete(key)
    return false
  }

  /** Remembers that this was right; forgets what was remembered first when there is no room. */
  add(key: string): void {
    this.#expiry.delete(key)
    this.#expiry.set(key, this.#now() + lifetime)
    const [oldest] = this.#expiry.keys()
    if (this.#expiry.size > capacity && oldest !== undefined) this.#expiry.delete(oldest)
  }

  /** Forgets everything. */
  clear(): void {
    this.#expiry.clear()
  }

  /** A number below `bound` that is always the same for a name, and that nobody outside can predict. */
  pick(name: string, bound: number): number {
    return createHmac('sha256', this.#key).update(name).digest().readUInt32BE() % bound
  }
}
