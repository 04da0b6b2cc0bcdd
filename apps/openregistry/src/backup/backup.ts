import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { StorageKey } from '@openregistry/core'
import { openSqliteMetadataStore } from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'
import { namedObjects } from './named-objects.ts'
import { ObjectCopier } from './object-copier.ts'

/** How often the database is taken again because a live server has deleted something meanwhile. */
const attempts = 5

/** What a backup is made of. */
interface Tally {
  linked: number
  copied: number
}

/**
 * `openregistry backup`: a folder from which a registry can be started.
 *
 * The database comes first, then exactly the objects that this copy of it names. An object is durable before a row names
 * it, so whatever the copy names was there; it can only be gone because the live server has deleted it since. Then the
 * database is taken again (the new copy does not name it any more) and what is new is added, until nothing is missing.
 * The database gets its name last: a folder without it is an unfinished backup, and no registry.
 * @throws CommandError when the folder is not empty, or objects are missing that the live database names, too.
 */
export async function backup(
  config: Config,
  folder: string,
  { copy = false, json = false }: { copy?: boolean; json?: boolean },
): Promise<void> {
  const source = databaseFile(config.data_dir)
  const target = resolve(folder)
  await requireDatabase(source)
  await makeEmpty(target)
  const partial = `${databaseFile(target)}.unfinished`
  const copier = new ObjectCopier({
    source: config.dfs.disk.path,
    target: join(target, 'blobs'),
    mayLink: !copy,
  })
  await mkdir(join(target, 'blobs'))

  const tally: Tally = { linked: 0, copied: 0 }
  const missing = await copyUntilWhole(source, partial, copier, tally)
  await copier.sync()
  await rename(partial, databaseFile(target))
  await syncFolder(target)
  report({ target, tally, missing, json })
}

async function copyUntilWhole(
  source: string,
  partial: string,
  copier: ObjectCopier,
  tally: Tally,
): Promise<StorageKey[]> {
  // Beside a live server: nothing is migrated, and no lock is taken that it would mind.
  await using store = await openSqliteMetadataStore({ file: source, autoMigrate: false })
  let missing: StorageKey[] = []
  for (let attempt = 0; attempt < attempts; attempt++) {
    await rm(partial, { force: true })
    await store.backup(partial)
    const before = missing
    missing = await copyObjects(partial, copier, tally)
    // What two copies of the database name, and neither time is there, is not coming back.
    if (missing.length === 0 || (attempt > 0 && missing.every((key) => before.includes(key)))) break
  }
  return missing
}

async function copyObjects(database: string, copier: ObjectCopier, tally: Tally): Promise<StorageKey[]> {
  const missing: StorageKey[] = []
  for (const { key } of namedObjects(database)) {
    const outcome = await copier.copy(key)
    if (outcome === 'missing') missing.push(key)
    else if (outcome !== 'there') tally[outcome]++
  }
  return missing
}

async function requireDatabase(file: string): Promise<void> {
  const there = await stat(file).catch(() => null)
  if (there !== null) return
  throw new CommandError(
    `there is no registry in ${dirname(file)}: ${file} is missing. Name its folder with OPEN_REGISTRY_DATA_DIR or --config.`,
  )
}

/** Makes the folder, readable by its owner alone. What it holds already is never touched. */
async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await readdir(folder)).length > 0) {
    throw new CommandError(`${folder} is not empty; a backup goes to a folder of its own.`, {
      exitCode: exitCodes.usage,
    })
  }
  await syncFolder(dirname(folder))
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

function report(about: {
  target: string
  tally: Tally
  missing: readonly StorageKey[]
  json: boolean
}): void {
  const { target, tally, missing, json } = about
  if (json) printJson({ folder: target, ...tally, missing })
  else {
    say(
      `${target}: database, ${formatCount(tally.linked + tally.copied, 'object')} (${tally.linked} linked, ${tally.copied} copied).`,
    )
    if (tally.linked > 0)
      say('Linked objects share their bytes with the original: copy the folder to another disk, too.')
    say(`To start from it: OPEN_REGISTRY_DATA_DIR=${target} openregistry serve`)
  }
  if (missing.length > 0) {
    throw new CommandError(
      `${formatCount(missing.length, 'object')} that the database names are not in the store, so they are not in the backup ` +
        `(the first is ${missing[0]}). All others are. Push the images concerned again.`,
    )
  }
}
