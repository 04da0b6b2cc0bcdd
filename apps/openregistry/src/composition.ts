import { readFile } from 'node:fs/promises'
import { createContentHasher, openDiskBlobStore, type FileLayer } from '@openregistry/blobs'
import {
  createRegistry,
  type BlobStore,
  type JobRunner,
  type Lists,
  type MetadataStore,
  type Ports,
  type Registry,
} from '@openregistry/core'
import { basicAuthentication, openMode, startServer, type Authenticator } from '@openregistry/server'
import { isLoopback, type Config } from '@openregistry/server/config'
import type { Logger } from '@openregistry/server/log'
import { startBackgroundJobs } from './background-jobs.ts'
import { openMetadata } from './open-metadata.ts'
import { version } from './version.ts'

/** A registry that serves. */
export interface RunningRegistry {
  /** One URL for each address that is listened on. */
  readonly addresses: readonly string[]
  /** Its use cases, for whoever runs in the same process. */
  readonly registry: Registry
  /** What it does in the background. */
  readonly jobs: JobRunner
  /** Takes nothing new, finishes requests in flight, closes everything. Uploads can be resumed afterwards. */
  stop(): Promise<void>
}

/**
 * What is put around the drivers once they are open. The fault harness stops, kills and fails the registry here, so that
 * the code beneath and above is exactly what runs elsewhere.
 */
export interface Layers {
  files?: FileLayer
  blobs?: (store: BlobStore & Lists) => BlobStore & Lists
  metadata?: (store: MetadataStore) => MetadataStore
}

/**
 * The one place where drivers, use cases and transports meet: opens everything that the configuration names, in the
 * order in which it is needed, and closes it in the reverse order, also when the start fails half-way.
 *
 * @throws RegistryError, or an error of the system, when something cannot be opened; nothing is left open then.
 */
export async function startRegistry(
  config: Config,
  log: Logger,
  layers: Layers = {},
): Promise<RunningRegistry> {
  await using opened = new AsyncDisposableStack()
  const { files, blobs: aroundBlobs = same, metadata: aroundMetadata = same } = layers
  const disk = files === undefined ? config.dfs.disk : { ...config.dfs.disk, files }
  const blobs = aroundBlobs(opened.use(await openDiskBlobStore(disk)))
  const metadata = aroundMetadata(opened.use(await openMetadata(config, { serving: true })))
  const hasher = opened.use(createContentHasher())
  const ports: Ports = {
    metadata,
    backends: new Map([[blobs.backend, blobs]]),
    hasher,
    settings: {
      defaultVisibility: config.repositories.default_visibility,
      backend: config.dfs.default,
      lease: config.gc.lease,
      grace: config.gc.grace,
      uploadLifetime: config.limits.upload_lifetime,
      limits: {
        manifest: config.limits.manifest,
        blob: config.limits.blob,
        uploadsPerRepository: config.limits.uploads_per_repository,
        tagsPerPush: config.limits.tags_per_push,
        page: config.limits.page,
      },
    },
  }
  const registry = createRegistry(ports)
  const jobs = startBackgroundJobs(ports, log)
  opened.defer(() => jobs.stop())
  const server = await serveRegistry(config, log, registry, () => metadata.figures())
  opened.defer(() => server.stop(config.limits.shutdown_grace))
  const resources = opened.move()
  return { addresses: server.addresses, registry, jobs, stop: () => resources.disposeAsync() }
}

const same = <T>(store: T): T => store

async function serveRegistry(
  config: Config,
  log: Logger,
  registry: Registry,
  figures: () => Promise<{ openUploads: number; pendingDeletes: number }>,
): ReturnType<typeof startServer> {
  const { http, limits, auth, metrics } = config
  const publicUrl = http.public_url === null ? null : new URL(http.public_url)
  return startServer({
    registry,
    authenticator: await authenticatorOf(config, log),
    log,
    version: version(),
    listener: {
      hosts: http.host === '127.0.0.1' ? ['127.0.0.1', '::1'] : [http.host],
      port: http.port,
      tls: await tlsOf(config),
      maxHeaderSize: limits.request_headers,
      headersTimeout: limits.headers_timeout,
      keepAliveTimeout: limits.keep_alive_timeout,
      maxConnections: limits.connections,
    },
    metricsListener: metrics.listen,
    v2: {
      manifestLimit: limits.manifest,
      body: { window: limits.idle_timeout, minimumRate: limits.min_rate },
      stall: limits.idle_timeout,
      logReads: config.log.reads,
    },
    uriLimit: limits.uri,
    openMode:
      auth.mode === 'open'
        ? { publicHost: publicUrl?.hostname ?? null, network: !isLoopback(http.host) }
        : null,
    publicAddress: publicUrl?.host ?? null,
    figures,
  })
}

async function authenticatorOf({ auth }: Config, log: Logger): Promise<Authenticator> {
  if (auth.mode === 'open' || auth.users_file === null) return openMode
  // Password hashing is native code that open mode never needs.
  const { openUsersFile } = await import('@openregistry/server/users-file')
  return basicAuthentication(await openUsersFile(auth.users_file, { log }))
}

async function tlsOf({ http: { tls } }: Config): Promise<{ cert: string; key: string } | null> {
  if (tls.cert === null || tls.key === null) return null
  return { cert: await readFile(tls.cert, 'utf8'), key: await readFile(tls.key, 'utf8') }
}
