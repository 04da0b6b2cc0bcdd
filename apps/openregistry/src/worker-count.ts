import { availableParallelism } from 'node:os'
import type { Config } from '@openregistry/server/config'

/** How many processes serve the port: SQLite has one writer, PostgreSQL takes what `http.workers` says. */
export function workerCount({ db, http }: Config): number {
  if (db.kind === 'sqlite') return 1
  return http.workers === 'auto' ? availableParallelism() : http.workers
}
