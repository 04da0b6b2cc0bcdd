import { RegistryError } from '@openregistry/oci'
import { readCid } from '../read-cid.ts'
import { carParameters, type AcceptParameters } from './car-parameters.ts'
import type { GatewayRequest } from './gateway-request.ts'
import { chooseFormat } from './response-format.ts'

/** Segments of a path that are followed; each costs a block. */
const segmentLimit = 256

/**
 * Reads a request of the gateway.
 * @param path what comes behind `/ipfs/`, not decoded.
 * @throws RegistryError `CID_INVALID`, `PARAMETER_INVALID`, `FORMAT_UNSUPPORTED`.
 */
export function parseGatewayRequest(
  path: string,
  query: URLSearchParams,
  accept: string | undefined,
): GatewayRequest {
  const [first = '', ...rest] = path.split('/')
  const { cid, parts: root } = readCid(first)
  const segments = readSegments(rest)
  const { format, parameters } = chooseFormat(query, accept)
  const common = {
    ...{ root, cid, filename: query.get('filename') || null },
    path: ['/ipfs', first, ...segments.map(encodeURIComponent)].join('/'),
    canonicalQuery: query.has('format') ? null : canonicalQuery(query, format, parameters),
  }
  if (format === 'car') return { ...common, format, segments, car: carParameters(query, parameters) }
  if (segments.length > 0) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      'A block is asked for by its CID alone; paths are for format=car.',
    )
  }
  return { ...common, format }
}

/** What the `Accept` header said, as parameters (Path Gateway Specification, "Content-Location"). */
function canonicalQuery(query: URLSearchParams, format: string, parameters: AcceptParameters): string {
  const canonical = new URLSearchParams(query)
  canonical.set('format', format)
  for (const name of ['version', 'order', 'dups']) {
    const value = parameters.get(name)
    if (format === 'car' && value !== undefined && !query.has(`car-${name}`))
      canonical.set(`car-${name}`, value)
  }
  return canonical.toString()
}

function readSegments(encoded: readonly string[]): string[] {
  // A slash at the end says "directory", which changes nothing.
  const given = encoded.at(-1) === '' ? encoded.slice(0, -1) : encoded
  if (given.length > segmentLimit) throw badPath(`has more than ${segmentLimit} segments`)
  return given.map(readSegment)
}

/** One name, decoded once. What a path could escape with is no name of anything. */
function readSegment(encoded: string): string {
  let name: string
  try {
    name = decodeURIComponent(encoded)
  } catch (cause) {
    throw badPath('has a broken percent-encoding', cause)
  }
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw badPath('has a segment that can be no name')
  }
  return name
}

function badPath(what: string, cause?: unknown): RegistryError {
  return new RegistryError('PARAMETER_INVALID', `The path ${what}.`, { cause })
}
