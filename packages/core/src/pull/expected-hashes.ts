import type { MetadataStore } from '../ports/metadata-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'

/** Bytes of a SHA-256. */
const width = 32

/** How many hashes are asked for at once: those of 4 GiB, 128 KiB. */
const atOnce = 4096

/** Hashes of leaves that are asked for in order, so that those of a huge blob are never all in memory. */
export class ExpectedHashes {
  readonly #metadata: Pick<MetadataStore, 'readLeaves'>
  readonly #place: { backend: string; key: StorageKey }
  readonly #first: number
  readonly #end: number
  #begin = -1
  #hashes: Promise<Uint8Array | null> = Promise.resolve(null)

  /** @param leaves the index of the first that will be asked for, and one past that of the last. */
  constructor(
    metadata: Pick<MetadataStore, 'readLeaves'>,
    place: { backend: string; key: StorageKey },
    leaves: { first: number; end: number },
  ) {
    this.#metadata = metadata
    this.#place = place
    this.#first = leaves.first
    this.#end = leaves.end
  }

  /** SHA-256 of a leaf; null when its object is no good location any more. @throws RegistryError `METADATA_UNAVAILABLE`. */
  async at(index: number): Promise<Uint8Array | null> {
    const begin = index - ((index - this.#first) % atOnce)
    if (begin !== this.#begin) {
      this.#begin = begin
      const count = Math.min(atOnce, this.#end - begin)
      this.#hashes = this.#metadata.readLeaves({ ...this.#place, first: begin, count })
    }
    const hashes = await this.#hashes
    const from = (index - begin) * width
    return hashes && hashes.subarray(from, from + width)
  }
}
