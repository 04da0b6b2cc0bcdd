import { join } from 'node:path'
import {
  openClusterBlobStore,
  openDiskBlobStore,
  openKuboBlobStore,
  openS3BlobStore,
  openSkynetBlobStore,
  type FileLayer,
} from '@openregistry/blobs'
import type { BlobStore, ContentHasher, KeepsIdentity } from '@openregistry/core'
import type { Config } from '@openregistry/server/config'

/** Backends that speak S3, by the name that they have in `dfs` and in `blob_locations.backend`. */
const s3Backends = ['s3', 'storj', 'filebase'] as const

/** A backend of the configuration. */
export type Backend = BlobStore & KeepsIdentity

/** The settings of such a backend that is configured. */
type S3Settings = Config['dfs'][(typeof s3Backends)[number]]

/** What backends are opened with besides the configuration. */
export interface BackendParts {
  /** Hashes what a backend has to hash by itself. */
  hasher: ContentHasher
  /** The file operations beneath the disk, unless they are those of the system. */
  files?: FileLayer | undefined
}

/**
 * Opens every backend that the configuration names, so that blobs are readable wherever they were written. Nothing is
 * created, and nothing is asked of a service: one that is away is no reason.
 * @param opened what closes them.
 * @throws RegistryError when one cannot be opened.
 */
export async function openBackends(
  config: Config,
  opened: AsyncDisposableStack,
  { hasher, files }: BackendParts,
): Promise<Backend[]> {
  const { dfs } = config
  const stores: Backend[] = []
  const { path, ...disk } = dfs.disk
  if (path !== null) {
    const options = { ...disk, path, create: false, ...(files === undefined ? {} : { files }) }
    stores.push(opened.use(await openDiskBlobStore(options)))
  }
  for (const store of openPinning(config, hasher)) stores.push(opened.use(store))
  for (const backend of s3Backends) {
    const bucket = await openBucket(backend, dfs[backend], dfs.redirect)
    if (bucket !== null) stores.push(opened.use(bucket))
  }
  const portal = await openPortal(config, hasher)
  if (portal !== null) stores.push(opened.use(portal))
  return stores
}

/** The services that pin. */
function openPinning({ data_dir: data, dfs: { ipfs, cluster } }: Config, hasher: ContentHasher): Backend[] {
  const spool = join(data, 'spool')
  const hashLeaf = (leaf: Uint8Array): Promise<Uint8Array> => hasher.hashLeaf(leaf)
  const stores: Backend[] = []
  if (ipfs.api_url !== null) {
    stores.push(
      openKuboBlobStore({
        ...pinningOptions(ipfs),
        apiUrl: ipfs.api_url,
        gatewayUrl: ipfs.gateway_url,
        spool,
        hashLeaf,
      }),
    )
  }
  if (cluster.api_url !== null && cluster.gateway_url !== null) {
    const { replication_min: replicationMin, replication_max: replicationMax } = cluster
    stores.push(
      openClusterBlobStore({
        ...pinningOptions(cluster),
        apiUrl: cluster.api_url,
        gatewayUrl: cluster.gateway_url,
        replicationMin,
        replicationMax,
        spool,
        hashLeaf,
      }),
    )
  }
  return stores
}

async function openPortal(
  { data_dir: data, dfs: { skynet } }: Config,
  hasher: ContentHasher,
): Promise<Backend | null> {
  const { portal_url: portalUrl, api_key: apiKey, secret, name: registry, timeout } = skynet
  // The rules of the configuration want the secret with a portal.
  if (portalUrl === null || secret === null) return null
  return openSkynetBlobStore({
    ...{ portalUrl, apiKey, secret, registry, timeout, retryWithin: skynet.retry, public: skynet.public },
    spool: join(data, 'spool'),
    hashLeaf: (leaf) => hasher.hashLeaf(leaf),
  })
}

function pinningOptions(settings: Config['dfs']['ipfs'] | Config['dfs']['cluster']) {
  const { api_token: apiToken, name: registry, retry: retryWithin, timeout } = settings
  return { apiToken, registry, retryWithin, timeout, public: settings.public }
}

async function openBucket(backend: string, settings: S3Settings, redirect: boolean): Promise<Backend | null> {
  const { bucket, prefix, access_key: accessKey, secret_key: secretKey } = settings
  // The rules of the configuration want both keys with a bucket.
  if (bucket === null || accessKey === null || secretKey === null) return null
  return openS3BlobStore({
    ...{ backend, bucket, accessKey, secretKey, redirect },
    endpoint: settings.endpoint,
    region: settings.region,
    prefix: prefix === null ? '' : prefix.replace(/\/?$/, '/'),
    pathStyle: settings.path_style,
    partSize: settings.part_size,
    public: settings.public,
    connections: settings.connections,
    connectTimeout: settings.connect_timeout,
    timeout: settings.timeout,
    attempts: settings.attempts,
    reportsCids: backend === 'filebase',
  })
}
