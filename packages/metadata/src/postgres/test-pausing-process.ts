import { writeSync } from 'node:fs'
import type { RepositoryName } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import type { PostgresSettings } from './settings.ts'

/*
 * A program for `paused.test.ts`: takes a step, and stands still in the middle of it, as a machine does that is paused or a
 * process that got SIGSTOP. It prints `paused` before, and when it goes on how the step ended.
 */

/** What the program is told, as JSON. */
export interface PausingProcess {
  settings: PostgresSettings
  repository: RepositoryName
  /** Before it says `COMMIT`, or between two statements before that. */
  before: 'commit' | 'statement'
}

const { settings, repository, before } = JSON.parse(process.argv[2] ?? '') as PausingProcess
await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: false })
const { run, all } = Connection.prototype
let statements = 0
let paused = false

function pause(): void {
  if (paused) return
  paused = true
  writeSync(1, 'paused ')
  process.kill(process.pid, 'SIGSTOP')
}

Connection.prototype.run = function (text) {
  if (before === 'commit' && text === 'COMMIT') pause()
  return run.call(this, text)
}
Connection.prototype.all = function (query) {
  statements++
  if (before === 'statement' && statements === 2) pause()
  return all.call(this, query)
}
const rules = { backends: ['disk'], public: [], namespaces: {}, replicas: [] }
const outcome = await store.setVisibility(repository, 'public', rules).then(
  () => 'done',
  (error: { code: string }) => error.code,
)
writeSync(1, outcome)
