import { join } from 'node:path'
import { createContentHasher, createMemoryBlobStore } from '@openregistry/blobs'
import {
  createRegistry,
  type MetadataStore,
  type Ports,
  type Registry,
  type Settings,
} from '@openregistry/core'
import { openSqliteMetadataStore } from '@openregistry/metadata'
import { faultBlobStore, type FaultyBlobStore } from '@openregistry/testkit'
import { testSettings } from './settings.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Use cases on a database of their own and three backends in memory that fail on demand: `open` alone is public. */
export interface SeveralBackends extends AsyncDisposable {
  ports: Ports
  registry: Registry
  metadata: MetadataStore
  store: Record<'open' | 'disk' | 'vault', FaultyBlobStore>
}

/** @param over what the configuration says; new content goes to `open` otherwise. */
export async function openSeveralBackends(over: Partial<Settings> = {}): Promise<SeveralBackends> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const file = join(folder.path, 'openregistry.db')
  const metadata = opened.use(await openSqliteMetadataStore({ file, autoMigrate: true }))
  const hasher = opened.use(createContentHasher({ threads: 1 }))
  const create = (backend: string) =>
    faultBlobStore(opened.use(createMemoryBlobStore({ backend, public: backend === 'open' })))
  const store = { open: create('open'), disk: create('disk'), vault: create('vault') }
  const ports: Ports = {
    metadata,
    names: null,
    backends: new Map(Object.entries(store)),
    hasher,
    settings: { ...testSettings, backend: 'open', ...over },
  }
  const resources = opened.move()
  const close = () => resources.disposeAsync()
  return { ports, registry: createRegistry(ports), metadata, store, [Symbol.asyncDispose]: close }
}
