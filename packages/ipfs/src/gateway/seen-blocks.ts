import { RegistryError } from '@openregistry/oci'
import { KeySet } from './key-set.ts'

/** Blocks that are remembered at most: 32 MiB then, and a file of a tebibyte. */
export const seenLimit = 2 ** 20

/**
 * The blocks that one answer has sent, by codec and SHA-256: 21 to 43 bytes of memory for each. Sets of strings take five
 * times as much, and a CAR of a tebibyte has a million blocks.
 */
export class SeenBlocks {
  readonly #byCodec = new Map<number, KeySet>()
  #count = 0

  has(codec: number, sha256: Uint8Array): boolean {
    return this.#byCodec.get(codec)?.has(sha256) === true
  }

  /**
   * Notes a block.
   * @returns whether it is new.
   * @throws RegistryError `PARAMETER_INVALID` when there is no room for it.
   */
  add(codec: number, sha256: Uint8Array): boolean {
    let keys = this.#byCodec.get(codec)
    if (keys === undefined) this.#byCodec.set(codec, (keys = new KeySet()))
    if (!keys.add(sha256)) return false
    if (++this.#count > seenLimit) throw tooManyBlocks()
    return true
  }
}

/** What a client is told whose CAR has more blocks than can be remembered. */
export function tooManyBlocks(): RegistryError {
  return new RegistryError(
    'PARAMETER_INVALID',
    'The CAR has too many blocks for dups=n; ask with car-dups=y.',
  )
}
