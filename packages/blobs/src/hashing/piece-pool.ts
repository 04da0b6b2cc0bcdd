import { leafSize } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'

/** Growable, though it never grows: such memory begins at a page, which the disk driver needs for direct writes. */
function newPiece(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(leafSize, { maxByteLength: leafSize }), 0, leafSize)
}

/** Pieces of one leaf each, in memory that threads share, so that nothing is copied or handed over. */
export class PiecePool {
  readonly #keep: number
  #free: Uint8Array[] = []
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /**
   * @param keep free pieces that are kept for the next caller; more are left to the garbage collector. It does not count
   * shared memory and comes late, so memory grows when many pieces are dropped and made anew.
   */
  constructor(keep: number) {
    this.#keep = keep
  }

  /** A piece; its content is undefined. */
  acquire(): Uint8Array {
    const piece = this.#free.pop() ?? newPiece()
    this.#lent.add(piece.buffer)
    return piece
  }

  /**
   * Takes a piece back.
   * @throws RegistryError `INTERNAL` when it is not lent: two owners of one piece would mix up two contents.
   */
  release(piece: Uint8Array): void {
    if (!this.#lent.delete(piece.buffer)) {
      throw new RegistryError('INTERNAL', 'A piece was released that is not lent.')
    }
    if (this.#free.length >= this.#keep) return
    this.#free.push(piece.length === leafSize ? piece : new Uint8Array(piece.buffer, 0, leafSize))
  }

  /** Drops the free pieces. */
  clear(): void {
    this.#free = []
  }
}
