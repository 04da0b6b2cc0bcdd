import { realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { RegistryError } from '@openregistry/oci'
import { isBusy, toRegistryError } from './faults.ts'

/**
 * Keeps a second server off a database, for as long as this process lives and no longer: the lock is the operating
 * system's, on an empty SQLite file of its own, so that commands can still write beside the server.
 */
export class ServerLock implements Disposable {
  readonly #database: DatabaseSync

  /**
   * @param file of the database, which is there; the lock is on its own name, whatever links lead to it, with `.lock`
   * behind it.
   * @throws RegistryError `METADATA_UNAVAILABLE` when another server has it.
   */
  constructor(file: string) {
    this.#database = new DatabaseSync(`${realpathSync(file)}.lock`, { open: false, timeout: 0 })
    try {
      this.#database.open()
      this.#database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      this[Symbol.dispose]()
      if (!isBusy(error)) throw toRegistryError(error)
      throw new RegistryError(
        'METADATA_UNAVAILABLE',
        `Another server is using ${file}, or a restore. Stop it, or give this one another data_dir; ` +
          'several servers on one registry need PostgreSQL.',
      )
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close()
  }
}
