import { availableParallelism } from 'node:os'
import { createContentHasher, type FileLayer } from '@openregistry/blobs'
import {
  isTrusted,
  keepsIdentity,
  lists,
  ownBlobStore,
  ownedOnceThere,
  requireTied,
  tieBackend,
  type BlobStore,
  type KeepsIdentity,
  type Lists,
  type MetadataStore,
  type Ownership,
  type Ports,
} from '@openregistry/core'
import type { KeptTotals } from '@openregistry/metadata'
import { timedBlobStore, timedMetadataStore, type Metrics } from '@openregistry/server/metrics'
import type { Config } from '@openregistry/server/config'
import { openBackends } from './open-backends.ts'
import { openMetadata } from './open-metadata.ts'
import { requireRegistry } from './require-registry.ts'
import { requireRestored } from './restore/require-restored.ts'
import { workerCount } from './worker-count.ts'

/**
 * What is put around the drivers once they are open. The fault harness stops, kills and fails the registry here, so that
 * the code beneath and above is exactly what runs elsewhere.
 */
export interface Layers {
  files?: FileLayer
  /** Around backends that can list, as those of the harness do. */
  blobs?: (store: BlobStore & Lists) => BlobStore & Lists
  metadata?: (store: MetadataStore) => MetadataStore
}

/**
 * Opens the drivers that the configuration names, in the order in which they are needed. A backend is made ready once it is
 * known to belong to the database. Names have no keys yet.
 * @param opened what closes them, in the reverse order.
 * @param applicationName what PostgreSQL sees, unless it is a server.
 * @throws RegistryError, or an error of the system, when something cannot be opened.
 */
export async function openPorts(
  config: Config,
  metrics: Metrics,
  layers: Layers,
  opened: AsyncDisposableStack,
  applicationName?: string,
): Promise<Ports> {
  const { files, blobs: aroundBlobs = same, metadata: aroundMetadata = same } = layers
  const hasher = opened.use(createContentHasher(hasherOptions(config)))
  const stores = await openBackends(config, opened, { hasher, files })
  const name = applicationName === undefined ? {} : { applicationName }
  const store = opened.use(await openMetadata(config, { serving: true, ...name }))
  const backends: BlobStore[] = []
  for (const backend of stores) {
    const own = await owned(backend, (here) => tieBackend(store, here))
    backends.push(timedBlobStore(lists(own) ? aroundBlobs(own) : own, metrics))
  }
  watchPool(metrics, store.pool)
  watchKept(metrics, store.kept)
  const metadata = aroundMetadata(store)
  return {
    metadata: timedMetadataStore(metadata, metrics),
    backends: byName(backends),
    hasher,
    names: null,
    settings: settingsOf(config),
  }
}

/**
 * Opens the same for a command on the data, beside servers or without any: nothing is migrated or created, and no lock is
 * taken that a server would mind.
 * @throws CommandError when there is no registry, or not all of it; RegistryError.
 */
export async function openDataPorts(config: Config, opened: AsyncDisposableStack): Promise<Ports> {
  await requireRegistry(config)
  const hasher = opened.use(createContentHasher())
  const stores = await openBackends(config, opened, { hasher })
  const metadata = opened.use(await openMetadata(config, { serving: false, autoMigrate: false }))
  await requireRestored(metadata)
  const backends: BlobStore[] = []
  for (const backend of stores) {
    backends.push(await owned(backend, (here) => requireTied(metadata, here)))
  }
  return { metadata, backends: byName(backends), hasher, names: null, settings: settingsOf(config) }
}

/**
 * The store that answers for the right backend alone, where the backend can show that it is. A disk has to be there now; a
 * service may come later.
 */
async function owned(
  backend: BlobStore,
  tie: (backend: BlobStore & KeepsIdentity) => Promise<Ownership>,
): Promise<BlobStore> {
  if (!keepsIdentity(backend)) return backend
  const settle = (): Promise<Ownership> => tie(backend)
  return ownBlobStore(backend, isTrusted(backend) ? await settle() : await ownedOnceThere(backend, settle))
}

/** Bytes that all processes together keep ready for pieces of uploads. */
const pieceBytes = 128 * 2 ** 20

/**
 * Each process hashes with threads of its own, which begin when there is work. Two let one push hash for SHA-256 and for
 * the IPFS leaves at once; more of them only help where processes are fewer than processors.
 */
function hasherOptions(config: Config): { threads: number; poolBytes: number } {
  const processes = workerCount(config)
  const share = Math.ceil(availableParallelism() / processes)
  return {
    threads: Math.min(4, availableParallelism(), Math.max(2, share)),
    poolBytes: Math.max(16 * 2 ** 20, Math.floor(pieceBytes / processes)),
  }
}

function watchPool(metrics: Metrics, pool: { readonly inUse: number } | undefined): void {
  if (pool === undefined) return
  const inUse = metrics.gauge('openregistry_db_pool_in_use', 'Connections to PostgreSQL that are in use.')
  metrics.watch([inUse], () => inUse.set(pool.inUse))
}

function watchKept(metrics: Metrics, kept: KeptTotals | undefined): void {
  if (kept === undefined) return
  const hits = metrics.counter('openregistry_cache_hits_total', 'Reads that were answered from memory.')
  const misses = metrics.counter(
    'openregistry_cache_misses_total',
    'Reads that were not, and could have been.',
  )
  const told = { hits: 0, misses: 0 }
  metrics.watch([], () => {
    hits.inc(kept.hits - told.hits)
    misses.inc(kept.misses - told.misses)
    Object.assign(told, { hits: kept.hits, misses: kept.misses })
  })
}

const same = <T>(store: T): T => store

function byName(stores: readonly BlobStore[]): ReadonlyMap<string, BlobStore> {
  return new Map(stores.map((store) => [store.backend, store]))
}

/** What use cases need to know of the configuration. */
export function settingsOf(config: Config): Ports['settings'] {
  const { limits } = config
  return {
    defaultVisibility: config.repositories.default_visibility,
    backend: config.dfs.default,
    namespaces: config.dfs.namespaces ?? {},
    replicas: config.dfs.replicas ?? [],
    lease: config.gc.lease,
    grace: config.gc.grace,
    uploadLifetime: limits.upload_lifetime,
    limits: {
      manifest: limits.manifest,
      blob: limits.blob,
      uploadsPerRepository: limits.uploads_per_repository,
      tagsPerPush: limits.tags_per_push,
      page: limits.page,
    },
  }
}
