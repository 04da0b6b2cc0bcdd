import { RegistryError } from '@openregistry/oci'

/** Which blocks are asked for, counted from the end of the path. */
export type DagScope = 'block' | 'entity' | 'all'

/** A range of a file, both ends inclusive; negative ones count from its end. */
export interface EntityBytes {
  readonly from: number
  /** Null: to the end. */
  readonly to: number | null
}

/** What a CAR is asked to hold (Trustless Gateway Specification, "Request Query Parameters"). */
export interface CarParameters {
  readonly scope: DagScope
  /** With it the scope is `entity`. */
  readonly bytes: EntityBytes | null
  /** Whether a block that occurs again is sent again. */
  readonly duplicates: boolean
}

/** Parameters of the media type in an `Accept` header; those of the query go before them (IPIP-523). */
export type AcceptParameters = ReadonlyMap<string, string>

/**
 * Reads the parameters of a CAR.
 * @throws RegistryError `PARAMETER_INVALID` for values that nobody can follow.
 */
export function carParameters(query: URLSearchParams, accepted: AcceptParameters): CarParameters {
  choose(query, accepted, 'version', ['1'])
  // An order that does not matter to the client may be this one, too.
  choose(query, accepted, 'order', ['dfs', 'unk'])
  const duplicates = choose(query, accepted, 'dups', ['n', 'y']) === 'y'
  const scope = scopeOf(query.get('dag-scope'))
  const bytes = query.get('entity-bytes')
  if (bytes === null) return { scope, bytes: null, duplicates }
  return { scope: 'entity', bytes: entityBytes(bytes), duplicates }
}

/** The value of `car-<name>`, else of the media type's parameter. Nothing said, or nothing in it, is the first one. */
function choose(
  query: URLSearchParams,
  accepted: AcceptParameters,
  name: string,
  known: readonly [string, ...string[]],
): string {
  const value = query.get(`car-${name}`) || accepted.get(name) || known[0]
  if (known.includes(value)) return value
  throw new RegistryError(
    'PARAMETER_INVALID',
    `CAR files are served with ${name}=${known.join(' or ')} only.`,
  )
}

function scopeOf(text: string | null): DagScope {
  if (text === null) return 'all'
  if (text === 'block' || text === 'entity' || text === 'all') return text
  throw new RegistryError('PARAMETER_INVALID', 'The parameter "dag-scope" is block, entity or all.')
}

const bytesForm = /^(-?[0-9]{1,15}):(-?[0-9]{1,15}|\*)$/

function entityBytes(text: string): EntityBytes {
  const [, first, last] = bytesForm.exec(text) ?? []
  const from = Number(first)
  const to = last === '*' ? null : Number(last)
  // With one end counted from the other side, only the size can tell whether they are in order.
  const isReversed = to !== null && from > to && from >= 0 === to >= 0
  if (first === undefined || isReversed) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      'The parameter "entity-bytes" is from:to, two positions in the file; to may be *, negative ones count from the end.',
    )
  }
  return { from, to }
}

/**
 * The part of a file that is asked for, in bytes. Of length 0 when both ends do not meet.
 * @throws RegistryError `PARAMETER_INVALID` when it begins beyond the end of the file.
 */
export function rangeWithin(size: number, { from, to }: EntityBytes): { offset: number; length: number } {
  if (from > 0 && from >= size) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      `The file has ${size} bytes, none of them in "entity-bytes".`,
    )
  }
  const offset = from < 0 ? Math.max(0, size + from) : from
  const last = to === null ? size - 1 : Math.min(to < 0 ? size + to : to, size - 1)
  return { offset, length: Math.max(0, last - offset + 1) }
}
