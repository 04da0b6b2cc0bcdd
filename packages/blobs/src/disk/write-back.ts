import type { LayerFile } from './file-layer.ts'
import type { SyncSlots } from './sync-slots.ts'

/**
 * Writes dirty pages of one file back while more bytes arrive, so that the sync at the end is short. At most one background sync is under way; its error is
 * kept and thrown at the end, since after a failed sync a later one may well succeed without the lost pages.
 */
export class WriteBack {
  readonly #file: LayerFile
  readonly #slots: SyncSlots
  readonly #stride: number
  #pending = 0
  #running: Promise<void> | null = null
  #failure: { error: unknown } | null = null

  /** @param stride bytes after which the kernel is told to begin writing. */
  constructor(file: LayerFile, slots: SyncSlots, stride: number) {
    this.#file = file
    this.#slots = slots
    this.#stride = stride
  }

  /** Counts bytes that were written, and begins a sync in the background when there are enough and the disk is not busy with others. */
  wrote(bytes: number): void {
    this.#pending += bytes
    if (this.#pending < this.#stride || this.#running !== null) return
    const sync = this.#slots.runIfIdle(() => this.#file.datasync())
    if (sync === null) return
    this.#pending = 0
    this.#running = sync
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#running = null
      })
  }

  /** Everything that was written is on the disk when this resolves. @throws the error of any sync. */
  async finish(): Promise<void> {
    await this.settled()
    if (this.#failure === null) await this.#slots.run(() => this.#file.datasync())
    if (this.#failure !== null) throw this.#failure.error
  }

  /** Resolves when no background sync is under way; never rejects. */
  async settled(): Promise<void> {
    await this.#running
  }
}
