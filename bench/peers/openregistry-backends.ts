import { kubo, kuboApiPort } from './kubo.ts'
import { launchOurs, openregistry } from './openregistry.ts'
import type { Peer, Service, Site } from './peer.ts'
import { s3Access, versitygw } from './versitygw.ts'

function backendOf({ backend }: Site): Site {
  if (backend === null) throw new Error('its backend was not started')
  return backend
}

/** Both versions, or what is missing. */
function findWith(name: string, service: Service): Peer['find'] {
  return async () => {
    const [ours, other] = [await openregistry.find(), await service.find()]
    if ('missing' in other) return { missing: `${name}: ${other.missing}` }
    return 'missing' in ours ? ours : { ...ours, version: `${ours.version}, ${name} ${other.version}` }
  }
}

/** Neither is filled before it starts: that writes to a folder of blobs. */
const shared = { kind: 'ours', lacks: ['collection'] } satisfies Partial<Peer>

/** Embedded SQLite, blobs in a bucket. */
export const openregistryS3: Peer = {
  ...shared,
  id: 'openregistry-s3',
  label: 'OpenRegistry, S3',
  backend: versitygw,
  find: findWith('versitygw', versitygw),
  launch: (site) =>
    launchOurs(site, {
      OPEN_REGISTRY_DFS_DEFAULT: 's3',
      OPEN_REGISTRY_DFS_S3_ENDPOINT: `http://127.0.0.1:${backendOf(site).port}`,
      OPEN_REGISTRY_DFS_S3_BUCKET: s3Access.bucket,
      OPEN_REGISTRY_DFS_S3_ACCESS_KEY: s3Access.accessKey,
      OPEN_REGISTRY_DFS_S3_SECRET_KEY: s3Access.secretKey,
    }),
}

/** Embedded SQLite, blobs in a node of Kubo, which it is told of with one variable. */
export const openregistryKubo: Peer = {
  ...shared,
  id: 'openregistry-kubo',
  label: 'OpenRegistry, Kubo',
  backend: kubo,
  find: findWith('Kubo', kubo),
  launch: (site) =>
    launchOurs(site, {
      OPEN_REGISTRY_DFS_IPFS_API_URL: `http://127.0.0.1:${kuboApiPort(backendOf(site))}`,
    }),
}
