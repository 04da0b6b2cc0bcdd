import { LaterRun } from '@openregistry/core'
import type { FileLayer } from './file-layer.ts'
import type { SyncSlots } from './sync-slots.ts'

/**
 * Syncs one folder for many writers. Those that arrive while a sync is under way share the next one: the present one
 * may have begun before their file was complete, so it proves nothing for them.
 */
export class FolderSync {
  readonly #run: LaterRun

  constructor(files: FileLayer, path: string, slots: SyncSlots) {
    this.#run = new LaterRun(() => slots.run(() => files.syncFolder(path)))
  }

  /** Resolves when a sync that began after this call is done. @throws what the sync throws, to all who share it. */
  sync(): Promise<void> {
    return this.#run.done()
  }
}
