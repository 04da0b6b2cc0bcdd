/** Bytes of a hash that are compared. Nobody finds two blocks that share them. */
const keySize = 16

/** A hash table of keys that are hashes already: 21 to 43 bytes of memory for each. */
export class KeySet {
  /** Keys one after the other; a slot of zeros is free. */
  #slots = new Uint8Array(64 * keySize)
  #count = 0

  has(key: Uint8Array): boolean {
    return !this.#isFree(this.#find(key))
  }

  /** @returns whether it is new. */
  add(key: Uint8Array): boolean {
    const at = this.#find(key)
    if (!this.#isFree(at)) return false
    this.#slots.set(key.subarray(0, keySize), at)
    this.#count++
    if (this.#count * keySize * 4 > this.#slots.length * 3) this.#grow()
    return true
  }

  /** Where a key is, or where it would go. */
  #find(key: Uint8Array): number {
    const start = ((key[0]! << 24) | (key[1]! << 16) | (key[2]! << 8) | key[3]!) >>> 0
    for (let at = (start * keySize) % this.#slots.length; ; at = (at + keySize) % this.#slots.length) {
      if (this.#isFree(at) || this.#holds(at, key)) return at
    }
  }

  #isFree(at: number): boolean {
    for (let i = 0; i < keySize; i++) if (this.#slots[at + i] !== 0) return false
    return true
  }

  #holds(at: number, key: Uint8Array): boolean {
    for (let i = 0; i < keySize; i++) if (this.#slots[at + i] !== key[i]) return false
    return true
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint8Array(old.length * 2)
    for (let at = 0; at < old.length; at += keySize) {
      const key = old.subarray(at, at + keySize)
      if (key.some((byte) => byte !== 0)) this.#slots.set(key, this.#find(key))
    }
  }
}
