import type { IpfsTarget } from '@openregistry/server'
import type { HttpRequest } from '@openregistry/testkit'

/** Digests of content of the image that is asked for. */
export interface Named {
  manifest: string
  blob: string
}

/** One way to ask for content by its CID. */
export interface Probe {
  name: string
  request: (cid: string, named: Named) => HttpRequest
}

const get = (
  name: string,
  path: (cid: string, named: Named) => string,
  headers: Record<string, string> = {},
): Probe[] => [
  { name, request: (...about) => ({ path: path(...about), headers }) },
  { name: `${name}, HEAD`, request: (...about) => ({ method: 'HEAD', path: path(...about), headers }) },
]

/** Every route that answers to a CID without credentials: one that is not here does not compile. */
const probesOf: Readonly<Record<Exclude<IpfsTarget['kind'], 'ipns'> | 'v2', readonly Probe[]>> = {
  ipfs: [
    ...get('/ipfs, a block', (cid) => `/ipfs/${cid}?format=raw`),
    ...get('/ipfs, a block by its header', (cid) => `/ipfs/${cid}`, { accept: 'application/vnd.ipld.raw' }),
    ...get('/ipfs, all below it', (cid) => `/ipfs/${cid}?format=car`),
    ...get('/ipfs, itself', (cid) => `/ipfs/${cid}?format=car&dag-scope=block`),
    ...get('/ipfs, a file or directory', (cid) => `/ipfs/${cid}?format=car&dag-scope=entity`),
    ...get('/ipfs, some bytes', (cid) => `/ipfs/${cid}?format=car&dag-scope=entity&entity-bytes=0:9`),
    ...get('/ipfs, a path below it', (cid) => `/ipfs/${cid}/index.json?format=car`),
    ...get('/ipfs, a longer path', (cid) => `/ipfs/${cid}/blobs/sha256?format=car`),
    ...get('/ipfs, what was fetched before', (cid) => `/ipfs/${cid}?format=raw`, { 'if-none-match': '*' }),
    ...get('/ipfs, if it is at hand', (cid) => `/ipfs/${cid}?format=raw`, {
      'cache-control': 'only-if-cached',
    }),
  ],
  rasl: [
    ...get('RASL', (cid) => `/.well-known/rasl/${cid}`),
    ...get('RASL, some bytes', (cid) => `/.well-known/rasl/${cid}`, { range: 'bytes=0-0' }),
    ...get('RASL, what was fetched before', (cid) => `/.well-known/rasl/${cid}`, { 'if-none-match': '*' }),
  ],
  routing: get('/routing', (cid) => `/routing/v1/providers/${cid}`),
  v2: [
    ...get('/v2/ipfs, the image', (cid) => `/v2/ipfs/${cid}/manifests/latest`),
    ...get('/v2/ipfs, a manifest', (cid, { manifest }) => `/v2/ipfs/${cid}/manifests/${manifest}`),
    ...get('/v2/ipfs, a blob', (cid, { blob }) => `/v2/ipfs/${cid}/blobs/${blob}`),
    ...get('/v2/ipfs, a range', (cid, { blob }) => `/v2/ipfs/${cid}/blobs/${blob}`, { range: 'bytes=0-0' }),
    ...get('/v2/ipfs, what was fetched before', (cid, { blob }) => `/v2/ipfs/${cid}/blobs/${blob}`, {
      'if-none-match': '*',
    }),
  ],
}

/** All of them. */
export const probes: readonly Probe[] = Object.values(probesOf).flat()

const record = 'application/vnd.ipfs.ipns-record'

/** Every route that answers to the name of a repository without credentials; the name stands in place of the CID. */
const nameProbesOf: Readonly<Record<Extract<IpfsTarget['kind'], 'ipns' | 'routing'>, readonly Probe[]>> = {
  ipns: [
    ...get('/ipns', (name) => `/ipns/${name}?format=ipns-record`),
    ...get('/ipns by its header', (name) => `/ipns/${name}`, { accept: record }),
    ...get('/ipns, what was fetched before', (name) => `/ipns/${name}?format=ipns-record`, {
      'if-none-match': '*',
    }),
    ...get('/ipns, if it is at hand', (name) => `/ipns/${name}?format=ipns-record`, {
      'cache-control': 'only-if-cached',
    }),
  ],
  routing: [
    ...get('/routing, a name', (name) => `/routing/v1/ipns/${name}`),
    ...get('/routing, a name by its header', (name) => `/routing/v1/ipns/${name}`, { accept: record }),
  ],
}

/** All of them. */
export const nameProbes: readonly Probe[] = Object.values(nameProbesOf).flat()
