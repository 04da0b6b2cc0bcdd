import type { MetadataStore, Milliseconds } from '../../ports/metadata-store.ts'

/** How long verdicts may wait for others, so that one step records many. */
const together = 1000

/** Locations that this process has claimed: kept while it reads, and each one recorded or given back. */
export class ClaimedBatch implements AsyncDisposable {
  readonly claim: string
  readonly #metadata: MetadataStore
  readonly #lease: Milliseconds
  readonly #open: Set<number>
  #verified: number[] = []
  #recordedAt = performance.now()
  #renewedAt = performance.now()

  constructor(metadata: MetadataStore, claim: string, ids: readonly number[], lease: Milliseconds) {
    this.#metadata = metadata
    this.claim = claim
    this.#open = new Set(ids)
    this.#lease = lease
  }

  /** To be called often: renews the claims when a third of their time is over. */
  async keep(): Promise<void> {
    if (performance.now() - this.#renewedAt < this.#lease / 3) return
    this.#renewedAt = performance.now()
    await this.#record()
    await this.#metadata.renewLocationClaims({ ids: [...this.#open], claim: this.claim, lease: this.#lease })
  }

  /** These bytes are good; noted soon. */
  async verified(id: number): Promise<void> {
    this.#open.delete(id)
    this.#verified.push(id)
    if (performance.now() - this.#recordedAt >= together) await this.#record()
  }

  /** Somebody else has recorded what became of it. */
  settled(id: number): void {
    this.#open.delete(id)
  }

  async #record(): Promise<void> {
    this.#recordedAt = performance.now()
    if (this.#verified.length === 0) return
    const ids = this.#verified
    this.#verified = []
    await this.#metadata.recordVerified({ ids, claim: this.claim })
  }

  /** Records what is verified, and gives back what was not looked at. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#record()
    if (this.#open.size > 0) {
      await this.#metadata.releaseLocations({ ids: [...this.#open], claim: this.claim })
    }
  }
}
