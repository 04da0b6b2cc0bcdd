import { execFile } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Database } from '../peers/peer.ts'
import { psqlArguments } from '../postgres/cluster.ts'
import { findPostgres } from '../postgres/programs.ts'
import {
  numberedTables,
  seedColumns,
  type RowSink,
  type SeedTable,
  type SeedValue,
} from './openregistry-rows.ts'

/** A value in the text format of COPY. */
export function copied(value: SeedValue): string {
  if (value === null) return '\\N'
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return `\\\\x${Buffer.from(value).toString('hex')}`
  return value.replace(/[\\\n\r\t]/g, (character) => `\\${escapes[character] ?? character}`)
}

const escapes: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't' }
const writeAtOnce = 1024 * 1024

/** Collects the rows of each table in a file. */
class TableFiles implements Disposable {
  readonly #folder: string
  readonly #files = new Map<SeedTable, { descriptor: number; waiting: string }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  path(table: SeedTable): string {
    return `${this.#folder}/seed-${table}`
  }

  readonly add: RowSink = (table, values) => {
    let file = this.#files.get(table)
    if (file === undefined) {
      file = { descriptor: openSync(this.path(table), 'w'), waiting: '' }
      this.#files.set(table, file)
    }
    file.waiting += `${values.map(copied).join('\t')}\n`
    if (file.waiting.length < writeAtOnce) return
    writeSync(file.descriptor, file.waiting)
    file.waiting = ''
  }

  /** The tables that have rows, in the order of the schema. */
  close(): SeedTable[] {
    for (const { descriptor, waiting } of this.#files.values()) {
      writeSync(descriptor, waiting)
      closeSync(descriptor)
    }
    const tables = [...this.#files.keys()]
    this.#files.clear()
    return (Object.keys(seedColumns) as SeedTable[]).filter((table) => tables.includes(table))
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.#files.values()) closeSync(descriptor)
  }
}

/** Indexes that no constraint needs are dropped and made again at the end: sorted at once, they cost far less. */
const dropIndexes = `
  CREATE TEMP TABLE seed_indexes AS SELECT indexname, indexdef FROM pg_indexes
  WHERE schemaname = current_schema() AND NOT EXISTS (
    SELECT 1 FROM pg_constraint WHERE conname = indexname);
  SELECT format('DROP INDEX %I', indexname) FROM seed_indexes \\gexec
  SET LOCAL session_replication_role = replica;
`
const makeIndexes = `
  SET LOCAL maintenance_work_mem = '256MB';
  SELECT indexdef FROM seed_indexes \\gexec
`

function copyTable(files: TableFiles, table: SeedTable): string {
  const columns = seedColumns[table].join(', ')
  const copy = `\\copy ${table} (${columns}) FROM '${files.path(table)}'\n`
  if (!numberedTables.includes(table)) return copy
  return `${copy}SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table})) \\g /dev/null\n`
}

/**
 * Fills a database of ours that has its schema and no rows, in one transaction, and lets the planner look at it.
 *
 * @param folder for files that are deleted again
 * @param fill gives the rows
 */
export async function seedPostgres(
  database: Database,
  folder: string,
  fill: (sink: RowSink) => void,
): Promise<void> {
  const programs = await findPostgres()
  if ('missing' in programs) throw new Error(programs.missing)
  using files = new TableFiles(folder)
  fill(files.add)
  const tables = files.close()
  const script = `${folder}/seed.sql`
  const copies = tables.map((table) => copyTable(files, table)).join('')
  await writeFile(
    script,
    `BEGIN;\n${dropIndexes}${copies}${makeIndexes}COMMIT;\nVACUUM ANALYZE;\nCHECKPOINT;\n`,
  )
  await promisify(execFile)(`${programs.folder}/psql`, [...psqlArguments(database), '-f', script])
  for (const path of [script, ...tables.map((table) => files.path(table))]) await rm(path)
}
