import { join } from 'node:path'
import { amazonAt } from './s3-keys.ts'
import type { BackendName } from './backend-names.ts'
import type { Config } from './tree.ts'

/** Backends that speak S3, by the name that they and their groups of keys have. */
const s3Backends = ['s3', 'storj', 'filebase'] as const

type Refuse = (key: string, message: string) => void

/** Keys of backends as they were given: those whose default depends on others may be null. */
export interface GivenBackends {
  default: Config['dfs']['default'] | null
  disk: { path: string | null }
  s3: { endpoint: string | null; path_style: boolean | null }
}

/**
 * The settings of all backends. The disk of a machine is one of them unless a server on PostgreSQL keeps blobs
 * elsewhere and nobody names a folder: then it would be a folder that the other servers do not have.
 */
export function backendsOf(given: Config, dbKind: Config['db']['kind']): Config['dfs'] {
  const { dfs } = given
  const { disk, s3, default: said } = dfs as GivenBackends
  const usual = said ?? (dfs.ipfs.api_url === null ? 'disk' : 'kubo')
  const named = [usual, ...Object.values(dfs.namespaces ?? {}), ...(dfs.replicas ?? [])]
  const hasDisk = dbKind === 'sqlite' || named.includes('disk')
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

/** The key without which a backend is not there, and its value. */
function placeOf(dfs: Config['dfs'], backend: BackendName): { key: string; value: string | null } {
  switch (backend) {
    case 'disk':
      return { key: 'dfs.disk.path', value: dfs.disk.path }
    case 'kubo':
      return { key: 'dfs.ipfs.api_url', value: dfs.ipfs.api_url }
    case 'cluster':
      return { key: 'dfs.cluster.api_url', value: dfs.cluster.api_url }
    case 'skynet':
      return { key: 'dfs.skynet.portal_url', value: dfs.skynet.portal_url }
    case 's3':
    case 'storj':
    case 'filebase':
      return { key: `dfs.${backend}.bucket`, value: dfs[backend].bucket }
  }
}

/** Backends that are to get blobs have to be there, and a list has each once. */
function checkNamed(dfs: Config['dfs'], refuse: Refuse): void {
  const [namespaces, replicas] = [Object.entries(dfs.namespaces ?? {}), dfs.replicas ?? []]
  const named: [key: string, said: string, backend: BackendName][] = [
    ['dfs.default', 'that', dfs.default],
    ...namespaces.map(([name, backend]): [string, string, BackendName] => [
      'dfs.namespaces',
      `${backend}, for ${name},`,
      backend,
    ]),
    ...replicas.map((backend): [string, string, BackendName] => ['dfs.replicas', backend, backend]),
  ]
  for (const [key, said, backend] of named) {
    const place = placeOf(dfs, backend)
    if (place.value === null) refuse(key, `nobody said where ${said} is; set ${place.key}`)
  }
  const twice = replicas.find((backend, index) => replicas.indexOf(backend) < index)
  if (twice !== undefined) refuse('dfs.replicas', `${twice} is there twice; one copy is all that it can have`)
}

function checkCluster({ cluster }: Config['dfs'], refuse: Refuse): void {
  if (cluster.api_url !== null && cluster.gateway_url === null) {
    refuse('dfs.cluster.api_url', 'blobs are read through the gateway of a node; set dfs.cluster.gateway_url')
  }
  const { replication_min: min, replication_max: max } = cluster
  if (min !== null && max !== null && min > max)
    refuse('dfs.cluster.replication_min', 'larger than dfs.cluster.replication_max')
}

function checkSkynet({ skynet }: Config['dfs'], refuse: Refuse): void {
  if (skynet.portal_url === null || skynet.secret !== null) return
  refuse(
    'dfs.skynet.portal_url',
    'objects are found by entries that are signed; set dfs.skynet.secret or dfs.skynet.secret_file',
  )
}

/** Finds contradictions between the keys of backends. */
export function checkBackends({ dfs }: Config, refuse: Refuse): void {
  checkNamed(dfs, refuse)
  checkCluster(dfs, refuse)
  checkSkynet(dfs, refuse)
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
