/** What a path of the IPFS surfaces is about. */
export type IpfsTarget =
  /** `path` is what comes behind `/ipfs/`. */
  | { kind: 'ipfs'; path: string }
  /** The same behind `/ipns/`. */
  | { kind: 'ipns'; path: string }
  | { kind: 'rasl'; cid: string }
  | ({ kind: 'routing' } & RoutingQuestion)

/** What delegated routing is asked; null for what it knows and this server does not do. */
export type RoutingQuestion =
  { about: 'providers'; cid: string } | { about: 'ipns'; name: string } | { about: null }

const rasl = '/.well-known/rasl/'
const routing = '/routing/v1/'

/** Reads a path, or says that it belongs to something else. */
export function parseIpfsTarget(path: string): IpfsTarget | null {
  if (path.startsWith('/ipfs/')) return { kind: 'ipfs', path: path.slice('/ipfs/'.length) }
  if (path.startsWith('/ipns/')) return { kind: 'ipns', path: path.slice('/ipns/'.length) }
  if (path.startsWith(rasl)) return { kind: 'rasl', cid: path.slice(rasl.length) }
  if (!path.startsWith(routing)) return null
  return { kind: 'routing', ...parseQuestion(path.slice(routing.length)) }
}

function parseQuestion(path: string): RoutingQuestion {
  if (path.startsWith('providers/')) return { about: 'providers', cid: path.slice('providers/'.length) }
  if (path.startsWith('ipns/')) return { about: 'ipns', name: path.slice('ipns/'.length) }
  return { about: null }
}
