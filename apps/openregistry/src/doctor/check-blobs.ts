import { stat } from 'node:fs/promises'
import { openDiskBlobStore } from '@openregistry/blobs'
import { examineTie, type MetadataStore } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { openMetadata } from '../open-metadata.ts'
import { failed, ok, type Finding } from './finding.ts'

/** What a database says that is not there yet. */
const empty: Parameters<typeof examineTie>[0] = {
  findBackendIdentity: () => Promise.resolve(null),
  namesObjects: () => Promise.resolve(false),
  listKeys: () => Promise.resolve({ items: [], more: false }),
  tieBackend: ({ identity }) => Promise.resolve(identity),
  retieBackend: () => Promise.resolve(),
}

/** Whether the blob folder is the one of the database, so that a server would take it. */
export async function checkBlobs(config: Config): Promise<Finding[]> {
  await using metadata = await openIfPossible(config)
  if (metadata === null) return []
  const { path } = config.dfs.disk
  if (path === null) return []
  await using disk = await openDiskBlobStore({ path, create: false })
  try {
    const tie = await examineTie(metadata.store, disk)
    const said =
      tie === 'tied'
        ? 'is the one of the database'
        : 'and the database belong together from the next start on'
    return [ok('blobs', `the blob folder ${said}`)]
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    return [failed('blobs', error.message, 'Do what it says.')]
  }
}

/** Null when the database cannot be looked into; why is another finding. */
async function openIfPossible(config: Config): Promise<(AsyncDisposable & { store: typeof empty }) | null> {
  if (config.db.kind === 'sqlite' && !(await isThere(databaseFile(config.data_dir))))
    return { store: empty, [Symbol.asyncDispose]: () => Promise.resolve() }
  let store: MetadataStore
  try {
    store = await openMetadata(config, { serving: false, autoMigrate: false })
  } catch (error) {
    if (error instanceof RegistryError) return null
    throw error
  }
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
