import { dirname } from 'node:path'
import type { MetadataStore } from '@openregistry/core'
import { operationMethods } from '../operation-methods.ts'
import { backupDatabase } from './backup.ts'
import { requireSpace } from './free-space.ts'
import type { KeptTotals } from './kept-answers.ts'
import type { Reader } from './reader.ts'
import type { ServerLock } from './server-lock.ts'
import type { Writer } from './writer.ts'

/** A MetadataStore that can be copied while it is in use. */
export interface SqliteStore extends MetadataStore {
  /**
   * Copies the database while it is in use: what was acknowledged when this was called is in the copy, and nothing half
   * done is.
   * @param target a file that must not exist yet; it is there when the promise resolves, whole and durable, and not
   * before.
   * @throws RegistryError `CONFLICT` when it exists, `STORAGE_FULL`, `METADATA_UNAVAILABLE`; the signal's reason.
   */
  backup(target: string, signal?: AbortSignal): Promise<void>
  /** How many reads were answered from memory. */
  readonly kept: KeptTotals
}

/** The port on one SQLite file: reads on the caller's thread, steps on the writer's. */
export function createSqliteMetadataStore(
  file: string,
  reader: Reader,
  writer: Writer,
  lock: ServerLock | null,
): SqliteStore {
  return {
    ...operationMethods({
      read: (name, ...input) => reader.run(name, ...input),
      step: (name, ...input) => writer.run(name, ...input),
    }),
    kept: reader.kept,
    async check() {
      await writer.run('check')
      await requireSpace(dirname(file))
    },
    backup: (target, signal) => backupDatabase(file, target, signal),
    async [Symbol.asyncDispose]() {
      reader[Symbol.dispose]()
      // The last connection that closes writes the log back, so this one is the writer's.
      await writer[Symbol.asyncDispose]()
      lock?.[Symbol.dispose]()
    },
  }
}
