import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createContentHasher, openDiskBlobStore } from '@openregistry/blobs'
import { newBackendIdentity, requireTied, type MetadataStore } from '@openregistry/core'
import { namedObjects, openSqliteMetadataStore } from '@openregistry/metadata'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { openBackends } from '../open-backends.ts'
import { requireRegistry } from '../require-registry.ts'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { printJson, say } from '../terminal/print.ts'
import { copyKeys } from './copy-keys.ts'
import { copyUntilWhole, type CopiedObjects } from './copy-until-whole.ts'
import { ObjectCopier } from './object-copier.ts'

/**
 * `openregistry backup`: a folder from which a registry can be started. The database gets its name last: a folder without
 * it is an unfinished backup, and no registry.
 * @throws CommandError when the folder is not empty, or objects are missing that the database names.
 */
export async function backup(
  config: Config,
  folder: string,
  { copy = false, json = false }: { copy?: boolean; json?: boolean },
): Promise<void> {
  const target = resolve(folder)
  if (config.db.kind === 'postgres') throw backupOfServer(config)
  await requireRegistry(config)
  await makeEmpty(target)
  const copied = await copyRegistry(config, target, { mayLink: !copy })
  report(target, copied, json)
}

/** What came of it, and how many objects of each other backend the database names: those stay there. */
interface CopiedRegistry extends CopiedObjects {
  elsewhere: Record<string, number>
}

/** PostgreSQL has tools of its own, which know its users, its archives and its size. */
function backupOfServer({ db, dfs }: Config): CommandError {
  const dump = `pg_dump --format=custom --host=${db.host} --port=${db.port} --username=${db.user} --file=registry.dump ${db.name}`
  const blobs =
    dfs.disk.path === null
      ? `Blobs are in ${dfs.default}, which has ways of its own to keep what was deleted.`
      : `Then the blobs, since every object that the dump names is there already:\n  rsync -a ${dfs.disk.path}/ <folder>/blobs/`
  return new CommandError(
    `the database is PostgreSQL, which is backed up with its own tools. First the database:\n  ${dump}\n${blobs}`,
    { exitCode: exitCodes.usage },
  )
}

async function copyRegistry(
  config: Config,
  target: string,
  { mayLink }: { mayLink: boolean },
): Promise<CopiedRegistry> {
  // Beside a live server: nothing is migrated, and no lock is taken that it would mind.
  await using store = await openSqliteMetadataStore({
    file: databaseFile(config.data_dir),
    autoMigrate: false,
  })
  await requireOwnFolder(config, store)
  const blobs = join(target, 'blobs')
  await mkdir(blobs)
  const unfinished = `${databaseFile(target)}.unfinished`
  const copier = new ObjectCopier({ source: diskOf(config), target: blobs, mayLink })
  let elsewhere: Record<string, number> = {}
  const copied = await copyUntilWhole({
    async takeDatabase() {
      await rm(unfinished, { force: true })
      await store.backup(unfinished)
    },
    *namedObjects() {
      elsewhere = {}
      for (const object of namedObjects(unfinished)) {
        const { backend } = object
        if (backend === 'disk') yield object
        else elsewhere[backend] = (elsewhere[backend] ?? 0) + 1
      }
    },
    copyObject: (key) => copier.copy(key),
  })
  await copier.sync()
  await tieCopy(unfinished, blobs)
  await untieOthers(config, unfinished, Object.keys(elsewhere))
  await copyKeys(config, target)
  // SQLite puts these beside whatever it opens; what was written through them is in the file by now.
  for (const side of ['-wal', '-shm']) await rm(`${unfinished}${side}`, { force: true })
  await rename(unfinished, databaseFile(target))
  await syncFolder(target)
  return { ...copied, elsewhere }
}

/** The blob folder; with SQLite there always is one. */
function diskOf({ data_dir: data, dfs }: Config): string {
  return dfs.disk.path ?? join(data, 'blobs')
}

/** Before a release with identities has served, nothing is known that could be compared. */
async function requireOwnFolder(config: Config, store: MetadataStore): Promise<void> {
  await using disk = await openDiskBlobStore({ path: diskOf(config), create: false })
  if ((await store.findBackendIdentity(disk.backend)) !== null) await requireTied(store, disk)
}

/** A backup is a registry of its own: its database must not be taken for the one of the original folder. */
async function tieCopy(database: string, blobs: string): Promise<void> {
  await using disk = await openDiskBlobStore({ path: blobs })
  await using copy = await openSqliteMetadataStore({ file: database, autoMigrate: false })
  await copy.retieBackend({ backend: disk.backend, identity: await disk.claim(newBackendIdentity()) })
}

/**
 * Buckets and their like stay the original's, so the copy gets identities that nobody has: its server refuses them until
 * somebody decides that the original is gone.
 */
async function untieOthers(config: Config, database: string, named: readonly string[]): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const configured = (await openBackends(config, opened, { hasher: opened.use(createContentHasher()) })).map(
    ({ backend }) => backend,
  )
  await using copy = await openSqliteMetadataStore({ file: database, autoMigrate: false })
  for (const backend of new Set([...configured, ...named])) {
    if (backend === 'disk' || (await copy.findBackendIdentity(backend)) === null) continue
    await copy.retieBackend({ backend, identity: newBackendIdentity() })
  }
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

function report(
  target: string,
  { linked, copied, size, missing, elsewhere }: CopiedRegistry,
  json: boolean,
): void {
  if (json) printJson({ folder: target, linked, copied, size, missing, elsewhere })
  else {
    const objects = `${formatCount(linked + copied, 'object')} of ${formatBytes(size)}`
    say(`${target}: database and ${objects}, ${linked} linked, ${copied} copied.`)
    if (linked > 0)
      say('Linked objects share their bytes with the original: copy the folder to another disk, too.')
    for (const [backend, count] of Object.entries(elsewhere)) {
      say(
        `${formatCount(count, 'object')} of the backend ${backend} stay there. To use them from the backup, once the ` +
          `original is gone: openregistry adopt --backend ${backend}`,
      )
    }
    say(`To start from it: OPEN_REGISTRY_DATA_DIR=${target} openregistry serve`)
  }
  if (missing.length > 0) {
    throw new CommandError(
      `${formatCount(missing.length, 'object')} that the database names could not be found in the store ` +
        `(the first is ${missing[0]}). All others are in the backup. Push the images concerned again.`,
    )
  }
}
