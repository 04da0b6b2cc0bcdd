import { join } from 'node:path'
import { amazonAt } from './s3-keys.ts'
import type { Config } from './tree.ts'

/** Backends that speak S3, by the name that they and their groups of keys have. */
const s3Backends = ['s3', 'storj', 'filebase'] as const

/** Keys of backends as they were given: those whose default depends on others may be null. */
export interface GivenBackends {
  default: Config['dfs']['default'] | null
  disk: { path: string | null }
  s3: { endpoint: string | null; path_style: boolean | null }
}

/**
 * The settings of all backends. The disk of a machine is one of them unless a server on PostgreSQL keeps new blobs
 * elsewhere and nobody names a folder: then it would be a folder that the other servers do not have.
 */
export function backendsOf(given: Config, dbKind: Config['db']['kind']): Config['dfs'] {
  const { dfs } = given
  const { disk, s3, default: named } = dfs as GivenBackends
  const usual = named ?? (dfs.ipfs.api_url === null ? 'disk' : 'kubo')
  const hasDisk = dbKind === 'sqlite' || usual === 'disk'
  return {
    ...dfs,
    default: usual,
    disk: { ...dfs.disk, path: disk.path ?? (hasDisk ? join(given.data_dir, 'blobs') : null) },
    s3: {
      ...dfs.s3,
      endpoint: s3.endpoint ?? amazonAt(dfs.s3.region),
      path_style: s3.path_style ?? s3.endpoint !== null,
    },
  }
}

/** The key without which the default backend is not there, and its value; null for the disk. */
function placeOf(dfs: Config['dfs']): { key: string; value: string | null } | null {
  switch (dfs.default) {
    case 'disk':
      return null
    case 'kubo':
      return { key: 'dfs.ipfs.api_url', value: dfs.ipfs.api_url }
    case 'cluster':
      return { key: 'dfs.cluster.api_url', value: dfs.cluster.api_url }
    case 's3':
    case 'storj':
    case 'filebase':
      return { key: `dfs.${dfs.default}.bucket`, value: dfs[dfs.default].bucket }
  }
}

function checkCluster({ cluster }: Config['dfs'], refuse: (key: string, message: string) => void): void {
  if (cluster.api_url !== null && cluster.gateway_url === null) {
    refuse('dfs.cluster.api_url', 'blobs are read through the gateway of a node; set dfs.cluster.gateway_url')
  }
  const { replication_min: min, replication_max: max } = cluster
  if (min !== null && max !== null && min > max)
    refuse('dfs.cluster.replication_min', 'larger than dfs.cluster.replication_max')
}

/** Finds contradictions between the keys of backends. */
export function checkBackends({ dfs }: Config, refuse: (key: string, message: string) => void): void {
  const place = placeOf(dfs)
  if (place !== null && place.value === null)
    refuse('dfs.default', `nobody said where that is; set ${place.key}`)
  checkCluster(dfs, refuse)
  const places = new Map<string, string>()
  for (const name of s3Backends) {
    const { bucket, endpoint, prefix, access_key: accessKey, secret_key: secretKey } = dfs[name]
    if (bucket === null) continue
    if (accessKey === null || secretKey === null) {
      const missing = accessKey === null ? 'access_key' : 'secret_key'
      refuse(
        `dfs.${name}.bucket`,
        `a bucket needs its keys; set dfs.${name}.${missing} or dfs.${name}.${missing}_file`,
      )
    }
    const place = `${endpoint} ${bucket} ${prefix ?? ''}`.replace(/\/?$/, '')
    const other = places.get(place)
    if (other !== undefined) {
      refuse(
        `dfs.${name}.bucket`,
        `dfs.${other} is the same place, and each would take the objects of the other for left-overs; give one of them a prefix`,
      )
    }
    places.set(place, name)
  }
}
