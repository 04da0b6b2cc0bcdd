import { createHash } from 'node:crypto'
import { RegistryError } from '@openregistry/oci'
import { toRegistryError as toFileFault } from '../sqlite/faults.ts'
import { toRegistryError as toServerFault, connectFault } from '../postgres/faults.ts'
import { describePlace, type PostgresSettings } from '../postgres/settings.ts'
import { CopySource } from './source.ts'
import { CopyTarget } from './target.ts'
import type { TableShape } from './tables.ts'
import { canonical, keyOf, type RowValues, type Value } from './values.ts'

/** What is told while a copy goes on. */
export interface CopyProgress {
  /** `copy`, or `verify` when both sides are compared. */
  phase: 'copy' | 'verify'
  table: string
  /** Rows of the table so far, those of earlier runs included, and in all. */
  rows: number
  total: number
}

/** A table that is there twice. */
export interface CopiedTable {
  name: string
  rows: number
  /** SHA-256 over all rows in the order of their keys; the same on both sides. */
  sha256: string
}

/**
 * Copies the metadata of a SQLite file into an empty PostgreSQL database, in batches, and compares all of it afterwards.
 * When it is interrupted, the next call goes on where it stopped, or begins anew if the file has changed since. At the end
 * the file is marked, so that nobody uses it any more: its objects belong to the new database, and two databases would
 * take each other's. Blobs are not touched, and the copied rows say where they are.
 * @throws RegistryError `METADATA_UNAVAILABLE` when a server uses the file, or one of both cannot be used; `CONFLICT` when
 * the target holds a registry, or differs at the end. The signal's reason.
 */
export async function copyToPostgres(
  file: string,
  settings: PostgresSettings,
  options: { onProgress?: (progress: CopyProgress) => void; signal?: AbortSignal } = {},
): Promise<CopiedTable[]> {
  using source = openSource(file, describePlace(settings))
  await using target = await openTarget(settings, source)
  const { onProgress = () => undefined, signal } = options
  try {
    const copied: CopiedTable[] = []
    for (const table of source.tables) await copyTable(source, target, table, onProgress, signal)
    for (const table of source.tables)
      copied.push(await compareTable(source, target, table, onProgress, signal))
    for (const table of source.tables) {
      if (table.identity !== null) await target.setIdentity(table, source.lastIdentity(table))
    }
    // In this order: there is no moment in which both could be used.
    markMoved(source)
    await target.finish()
    return copied
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : toServerFault(error)
  }
}

function openSource(file: string, place: string): CopySource {
  try {
    return new CopySource(file, place)
  } catch (error) {
    throw toFileFault(error)
  }
}

function markMoved(source: CopySource): void {
  try {
    source.markMoved()
  } catch (error) {
    throw toFileFault(error)
  }
}

async function openTarget(settings: PostgresSettings, source: CopySource): Promise<CopyTarget> {
  try {
    return await CopyTarget.open(settings, source.tables, source.fingerprint)
  } catch (error) {
    const known = toServerFault(error)
    throw known.code === 'INTERNAL' ? connectFault(error, settings) : known
  }
}

async function copyTable(
  source: CopySource,
  target: CopyTarget,
  table: TableShape,
  onProgress: (progress: CopyProgress) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const total = source.count(table)
  let { after, rows } = await target.progress(table)
  onProgress({ phase: 'copy', table: table.name, rows, total })
  for (let batch = source.rowsAfter(table, after); batch.length > 0; batch = source.rowsAfter(table, after)) {
    signal?.throwIfAborted()
    ;({ after, rows } = await target.add(table, batch, rows))
    onProgress({ phase: 'copy', table: table.name, rows, total })
  }
}

async function compareTable(
  source: CopySource,
  target: CopyTarget,
  table: TableShape,
  onProgress: (progress: CopyProgress) => void,
  signal: AbortSignal | undefined,
): Promise<CopiedTable> {
  const { name } = table
  const total = source.count(table)
  const there = await digestOf(
    table,
    (after) => target.rowsAfter(table, after),
    signal,
    (rows) => onProgress({ phase: 'verify', table: name, rows, total }),
  )
  const here = await digestOf(table, (after) => source.rowsAfter(table, after), signal)
  if (here.rows !== there.rows || here.sha256 !== there.sha256) {
    throw new RegistryError(
      'CONFLICT',
      `The copy of ${name} differs: ${here.rows} rows here, ${there.rows} there. Somebody has changed one of both ` +
        'meanwhile. Drop the database, create it again, and repeat the copy.',
    )
  }
  return { name, ...here }
}

async function digestOf(
  table: TableShape,
  rowsAfter: (after: Value[] | null) => RowValues[] | Promise<RowValues[]>,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void = () => undefined,
): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256')
  let rows = 0
  let after: Value[] | null = null
  for (;;) {
    signal?.throwIfAborted()
    const batch: RowValues[] = await rowsAfter(after)
    const last = batch.at(-1)
    if (last === undefined) return { rows, sha256: hash.digest('hex') }
    for (const row of batch) hash.update(`${canonical(row)}\n`)
    rows += batch.length
    after = keyOf(table, last)
    onRows(rows)
  }
}
