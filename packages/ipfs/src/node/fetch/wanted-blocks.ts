import { sha256 } from '../../sha256.ts'
import { BitswapError } from '../bitswap/bitswap-error.ts'

/** Somebody who waits for a block; null: the peer does not have it. */
export type Waiting = Pick<PromiseWithResolvers<Uint8Array | null>, 'resolve' | 'reject'>

/** Blocks of before that are remembered: what comes late, or twice, is no fault. */
const remembered = 1024

/**
 * Blocks that a peer was asked for, by their SHA-256, and who waits for each. What comes is hashed here, so nobody ever gets
 * anything else than what was asked for.
 */
export class WantedBlocks {
  readonly #waiting = new Map<string, Set<Waiting>>()
  readonly #past = new Set<string>()

  /** @returns whether the peer has to be asked: what others wait for as well was asked before. */
  add(digest: Uint8Array, one: Waiting): boolean {
    const key = keyOf(digest)
    const others = this.#waiting.get(key)
    if (others === undefined) this.#waiting.set(key, new Set([one]))
    else others.add(one)
    return others === undefined
  }

  /** @returns whether the peer has to hear that nobody waits any more. */
  drop(digest: Uint8Array, one: Waiting): boolean {
    const key = keyOf(digest)
    const all = this.#waiting.get(key)
    if (all === undefined || !all.delete(one) || all.size > 0) return false
    this.#end(key)
    return true
  }

  /**
   * Gives bytes to those who wait for a block with them, each a copy of its own.
   * @returns whether anybody did.
   * @throws BitswapError when they are no block that the peer was ever asked for.
   */
  give(bytes: Uint8Array): boolean {
    const key = keyOf(sha256(bytes))
    const all = this.#waiting.get(key)
    if (all === undefined) {
      if (this.#past.has(key)) return false
      throw new BitswapError('It gives other blocks than it was asked for.')
    }
    this.#end(key)
    for (const one of all) one.resolve(new Uint8Array(bytes))
    return true
  }

  /** The peer does not have it. @returns whether anybody waited for it. */
  miss(digest: Uint8Array): boolean {
    const key = keyOf(digest)
    const all = this.#waiting.get(key)
    if (all === undefined) return false
    this.#end(key)
    for (const one of all) one.resolve(null)
    return true
  }

  /** Nothing will come any more. */
  fail(error: Error): void {
    for (const all of this.#waiting.values()) for (const one of all) one.reject(error)
    this.#waiting.clear()
  }

  #end(key: string): void {
    this.#waiting.delete(key)
    this.#past.delete(key)
    this.#past.add(key)
    if (this.#past.size <= remembered) return
    for (const oldest of this.#past) {
      this.#past.delete(oldest)
      break
    }
  }
}

const keyOf = (digest: Uint8Array): string => Buffer.from(digest).toString('latin1')
