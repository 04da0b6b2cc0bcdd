import type { FileLayer } from './file-layer.ts'
import type { SyncSlots } from './sync-slots.ts'

/**
 * Syncs one folder for many writers. Those that arrive while a sync is under way share the next one: the present one
 * may have begun before their file was complete, so it proves nothing for them.
 */
export class FolderSync {
  readonly #files: FileLayer
  readonly #path: string
  readonly #slots: SyncSlots
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(files: FileLayer, path: string, slots: SyncSlots) {
    this.#files = files
    this.#path = path
    this.#slots = slots
  }

  /** Resolves when a sync that began after this call is done. @throws what the sync throws, to all who share it. */
  sync(): Promise<void> {
    if (this.#next !== null) return this.#next
    if (this.#running === null) return this.#begin()
    this.#next = this.#running.then(
      () => this.#beginNext(),
      () => this.#beginNext(),
    )
    return this.#next
  }

  #beginNext(): Promise<void> {
    this.#next = null
    return this.#begin()
  }

  #begin(): Promise<void> {
    const sync = this.#slots
      .run(() => this.#files.syncFolder(this.#path))
      .finally(() => {
        if (this.#running === sync) this.#running = null
      })
    this.#running = sync
    return sync
  }
}
