import { openDiskBlobStore, openS3BlobStore, type FileLayer } from '@openregistry/blobs'
import type { BlobStore, Lists } from '@openregistry/core'
import type { Config } from '@openregistry/server/config'

/** Backends that speak S3, by the name that they have in `dfs` and in `blob_locations.backend`. */
export const s3Backends = ['s3', 'storj', 'filebase'] as const

/** The settings of such a backend that is configured. */
type S3Settings = Config['dfs'][(typeof s3Backends)[number]]

/**
 * Opens every backend that the configuration names, so that blobs are readable wherever they were written. Nothing is
 * created, and nothing is asked of a service: one that is away is no reason.
 * @param opened what closes them.
 * @param files the file operations beneath the disk, unless they are those of the system.
 * @throws RegistryError when one cannot be opened.
 */
export async function openBackends(
  { dfs }: Config,
  opened: AsyncDisposableStack,
  files?: FileLayer,
): Promise<(BlobStore & Lists)[]> {
  const stores: (BlobStore & Lists)[] = []
  const { path, ...disk } = dfs.disk
  if (path !== null) {
    const options = { ...disk, path, create: false, ...(files === undefined ? {} : { files }) }
    stores.push(opened.use(await openDiskBlobStore(options)))
  }
  for (const backend of s3Backends) {
    const bucket = await openBucket(backend, dfs[backend], dfs.redirect)
    if (bucket !== null) stores.push(opened.use(bucket))
  }
  return stores
}

async function openBucket(
  backend: string,
  settings: S3Settings,
  redirect: boolean,
): Promise<(BlobStore & Lists) | null> {
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
