/** What a path of the IPFS surfaces is about. */
export type IpfsTarget =
  /** `path` is what comes behind `/ipfs/`. */
  | { kind: 'ipfs'; path: string }
  | { kind: 'rasl'; cid: string }
  /** `cid` is null for what delegated routing knows and this server does not do. */
  | { kind: 'routing'; cid: string | null }

const rasl = '/.well-known/rasl/'
const providers = '/routing/v1/providers/'

/** Reads a path, or says that it belongs to something else. */
export function parseIpfsTarget(path: string): IpfsTarget | null {
  if (path.startsWith('/ipfs/')) return { kind: 'ipfs', path: path.slice('/ipfs/'.length) }
  if (path.startsWith(rasl)) return { kind: 'rasl', cid: path.slice(rasl.length) }
  if (path.startsWith(providers)) return { kind: 'routing', cid: path.slice(providers.length) }
  return path.startsWith('/routing/v1/') ? { kind: 'routing', cid: null } : null
}
