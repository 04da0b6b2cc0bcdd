import { stat } from 'node:fs/promises'
import { createContentHasher } from '@openregistry/blobs'
import { examineTie, isTrusted, WrongBackend, type MetadataStore } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { databaseFile } from '../data-files.ts'
import { openBackends, type Backend } from '../open-backends.ts'
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

/** Whether each backend is the one of the database, so that a server would take it. */
export async function checkBlobs(config: Config): Promise<Finding[]> {
  await using metadata = await openIfPossible(config)
  if (metadata === null) return []
  await using opened = new AsyncDisposableStack()
  const findings: Finding[] = []
  for (const store of await openBackends(config, opened, { hasher: opened.use(createContentHasher()) })) {
    const finding = await examine(metadata.store, store)
    if (finding !== null) findings.push(finding)
  }
  return findings
}

/** Null when a backend across a network is away, which is another finding. */
async function examine(metadata: typeof empty, store: Backend): Promise<Finding | null> {
  const said = store.place
  try {
    const tie = await examineTie(metadata, store)
    return tie === 'tied'
      ? ok('blobs', `${said} is the one of the database`)
      : ok('blobs', `${said} and the database belong together from the next start on`)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (!isTrusted(store) && !(error instanceof WrongBackend)) return null
    return failed('blobs', error.message, 'Do what it says.')
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
