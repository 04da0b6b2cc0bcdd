import { decode, encode } from '@ipld/dag-cbor'
import { IpnsError } from './ipns-error.ts'

/** What a name leads to. */
export interface IpnsValue {
  /** A path: `/ipfs/<cid>`. */
  value: string
  /** Of two records the one with the larger number is newer. */
  sequence: number
  /** Until when the record can be believed, in milliseconds since 1970. */
  validUntil: number
  /** How long whoever has looked it up need not do so again, in milliseconds. */
  ttl: number
}

/** The same as a record has it: bytes, and nanoseconds. */
export interface IpnsFields {
  value: Uint8Array
  validity: Uint8Array
  sequence: number
  /** In nanoseconds. */
  ttl: number
}

/** The only kind of validity there is: until a moment ("EOL"). */
const untilMoment = 0

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** RFC 3339 with nanoseconds, in UTC. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

/** The fields of a record for a value. */
export function ipnsFields({ value, sequence, validUntil, ttl }: IpnsValue): IpnsFields {
  const validity = new Date(validUntil).toISOString().replace(/Z$/, '000000Z')
  return { value: encoder.encode(value), validity: encoder.encode(validity), sequence, ttl: ttl * 1e6 }
}

/** What the signature is over: DAG-CBOR, canonical (IPNS Record and Protocol, "Extensible Data"). */
export function encodeIpnsData({ value, validity, sequence, ttl }: IpnsFields): Uint8Array {
  return encode({
    ...{ Value: value, Validity: validity, ValidityType: untilMoment, Sequence: sequence, TTL: ttl },
  })
}

/** Reads it; names that are not known are left alone. @throws IpnsError */
export function decodeIpnsData(bytes: Uint8Array): IpnsFields {
  const data = decodeMap(bytes)
  const { Value: value, Validity: validity, ValidityType: type, Sequence: sequence, TTL: ttl } = data
  const isWhole =
    value instanceof Uint8Array && validity instanceof Uint8Array && isCount(sequence) && isCount(ttl)
  if (!isWhole || type !== untilMoment) throw malformed('its data is not that of one')
  return { value, validity, sequence, ttl }
}

function decodeMap(bytes: Uint8Array): Record<string, unknown> {
  try {
    const data: unknown = decode(bytes)
    if (typeof data === 'object' && data !== null && !Array.isArray(data)) {
      return data as Record<string, unknown>
    }
  } catch (cause) {
    throw malformed('its data is no DAG-CBOR', cause)
  }
  throw malformed('its data is no map')
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** What fields mean. @throws IpnsError */
export function ipnsValue({ value, validity, sequence, ttl }: IpnsFields): IpnsValue {
  const until = text(validity)
  const validUntil = moment.test(until) ? Date.parse(until) : Number.NaN
  if (Number.isNaN(validUntil)) throw malformed('it is valid until a moment that is none')
  return { value: text(value), sequence, validUntil, ttl: Math.floor(ttl / 1e6) }
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw malformed('it has text that is none', cause)
  }
}

/** @param why follows a colon. */
export function malformed(why: string, cause?: unknown): IpnsError {
  return new IpnsError('malformed', `Not a record of IPNS: ${why}.`, cause === undefined ? {} : { cause })
}
