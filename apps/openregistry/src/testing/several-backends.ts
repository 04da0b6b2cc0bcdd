import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createContentHasher, createMemoryBlobStore } from '@openregistry/blobs'
import {
  createRegistry,
  operator,
  type MetadataStore,
  type Ports,
  type Registry,
  type Settings,
} from '@openregistry/core'
import { openSqliteMetadataStore } from '@openregistry/metadata'
import { parseDigest, type Digest, type RepositoryName } from '@openregistry/oci'
import { faultBlobStore, type FaultyBlobStore } from '@openregistry/testkit'
import { temporaryFolder } from './temporary-folder.ts'

const hour = 3_600_000

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
    settings: {
      defaultVisibility: 'public',
      backend: 'open',
      namespaces: {},
      replicas: [],
      lease: hour,
      grace: hour,
      uploadLifetime: hour,
      limits: { manifest: 4_000_000, blob: 0, uploadsPerRepository: 0, tagsPerPush: 100, page: 1000 },
      ...over,
    },
  }
  const resources = opened.move()
  const close = () => resources.disposeAsync()
  return { ports, registry: createRegistry(ports), metadata, store, [Symbol.asyncDispose]: close }
}

/** Pushes a blob in one request. */
export async function pushContent(
  registry: Registry,
  repository: RepositoryName,
  bytes: Uint8Array,
): Promise<Digest> {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  const { id } = await registry.openUpload(operator, { repository, algorithm: null })
  const body = (async function* () {
    yield bytes
  })()
  await registry.finishUpload(operator, {
    repository,
    id,
    digest,
    chunk: { body, start: null, length: bytes.length },
  })
  return digest
}

/** Pulls a blob as a client would. */
export async function pullContent(
  registry: Registry,
  repository: RepositoryName,
  digest: Digest,
  rangeHeader?: string,
): Promise<Uint8Array> {
  await using blob = await registry.openBlob(operator, { repository, digest, rangeHeader })
  if (blob.chunks === null) return blob.bytes ?? new Uint8Array(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of blob.chunks) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}
