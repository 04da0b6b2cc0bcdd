import { sameBytes } from '../cid-parts.ts'
import { NodeError } from '../node-error.ts'
import { publicKeyBytes } from '../peer-id.ts'
import { protobufFields, wireType, type ProtobufField } from '../protobuf.ts'
import { varintSize, writeVarint } from '../varint.ts'
import { decodeIpnsData, encodeIpnsData, ipnsFields, ipnsValue, malformed } from './ipns-data.ts'
import type { IpnsFields, IpnsValue } from './ipns-data.ts'
import { IpnsError } from './ipns-error.ts'

/*
 * The record of a name (IPNS Record and Protocol, "Record Serialization Format"), Protocol Buffers:
 *
 *   value (1)  signatureV1 (2)  validityType (3)  validity (4)  sequence (5)  ttl (6)  pubKey (7)  signatureV2 (8)  data (9)
 *
 * What counts is `data`, DAG-CBOR, under signatureV2. The fields above say the same again for clients of before 2022, and
 * nobody is to believe them alone.
 */

/** Bytes of the largest record that anybody takes. */
export const maxIpnsRecordSize = 10 * 1024

const field = {
  ...{ value: 1, signatureV1: 2, validityType: 3, validity: 4, sequence: 5, ttl: 6, pubKey: 7 },
  ...{ signatureV2: 8, data: 9 },
} as const

const numbers: ReadonlySet<number> = new Set([field.validityType, field.sequence, field.ttl])

const encoder = new TextEncoder()
const signatureV2Prefix = encoder.encode('ipns-signature:')
const validityTypeText = encoder.encode('EOL')

/**
 * Makes the record of a name, for clients of every age. The same value makes the same bytes, so replicas need not agree on
 * anything else.
 * @param sign Ed25519, with the key of the name.
 */
export function encodeIpnsRecord(value: IpnsValue, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const fields = ipnsFields(value)
  const data = encodeIpnsData(fields)
  const signatureV1 = sign(joined([fields.value, fields.validity, validityTypeText]))
  return joined([
    bytesField(field.value, fields.value),
    bytesField(field.signatureV1, signatureV1),
    numberField(field.validityType, 0),
    bytesField(field.validity, fields.validity),
    numberField(field.sequence, fields.sequence),
    numberField(field.ttl, fields.ttl),
    bytesField(field.signatureV2, sign(joined([signatureV2Prefix, data]))),
    bytesField(field.data, data),
  ])
}

/** What is needed to believe a record. */
export interface IpnsVerification {
  /** The Ed25519 key that the name is, 32 bytes. */
  publicKey: Uint8Array
  /** In milliseconds since 1970. */
  now: number
  /** Whether a signature is that of the key. */
  verify(message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/**
 * Checks a record as the specification demands ("Record Verification") and reads what it says.
 * @throws IpnsError when it is not to be believed, with the reason as `fault`.
 */
export async function verifyIpnsRecord(
  record: Uint8Array,
  { publicKey, now, verify }: IpnsVerification,
): Promise<IpnsValue> {
  if (record.length > maxIpnsRecordSize) {
    throw new IpnsError('too large', `A record of IPNS has at most ${maxIpnsRecordSize} bytes.`)
  }
  const found = readFields(record)
  const data = found.get(field.data)?.bytes
  const signature = found.get(field.signatureV2)?.bytes
  if (data === undefined || data.length === 0) throw malformed('it has no data')
  if (signature === undefined || signature.length === 0) throw malformed('it has no signature of version 2')
  const key = found.get(field.pubKey)?.bytes
  if (key !== undefined && !sameBytes(key, publicKeyBytes(publicKey))) {
    throw new IpnsError('other key', 'The record is of the name of another key.')
  }
  const fields = decodeIpnsData(data)
  if (found.has(field.value) || found.has(field.signatureV1)) requireSame(found, fields)
  if (!(await verify(joined([signatureV2Prefix, data]), signature))) {
    throw new IpnsError('forged', 'The record was not signed with the key of the name.')
  }
  const value = ipnsValue(fields)
  if (value.validUntil <= now) {
    throw new IpnsError(
      'expired',
      `The record was valid until ${new Date(value.validUntil).toISOString()} only.`,
    )
  }
  return value
}

function readFields(record: Uint8Array): Map<number, ProtobufField> {
  const found = new Map<number, ProtobufField>()
  try {
    for (const one of protobufFields(record)) {
      if (one.number > field.data) continue
      const wire = numbers.has(one.number) ? wireType.varint : wireType.bytes
      if (one.wire !== wire || found.has(one.number)) throw malformed('a field of it does not belong there')
      found.set(one.number, one)
    }
  } catch (cause) {
    if (cause instanceof NodeError) throw malformed('it is no message of Protocol Buffers', cause)
    throw cause
  }
  return found
}

/** What is said twice has to be the same. A number that is left out is 0. */
function requireSame(found: ReadonlyMap<number, ProtobufField>, fields: IpnsFields): void {
  const bytes = (number: number): Uint8Array => found.get(number)?.bytes ?? new Uint8Array()
  const value = (number: number): number => found.get(number)?.value ?? 0
  const isSame =
    sameBytes(bytes(field.value), fields.value) &&
    sameBytes(bytes(field.validity), fields.validity) &&
    value(field.validityType) === 0 &&
    value(field.sequence) === fields.sequence &&
    value(field.ttl) === fields.ttl
  if (!isSame) throw malformed('what it says twice is not the same')
}

function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  const target = new Uint8Array(1 + varintSize(bytes.length) + bytes.length)
  target[0] = number * 8 + wireType.bytes
  target.set(bytes, writeVarint(target, 1, bytes.length))
  return target
}

function numberField(number: number, value: number): Uint8Array {
  const target = new Uint8Array(1 + varintSize(value))
  target[0] = number * 8 + wireType.varint
  writeVarint(target, 1, value)
  return target
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const target = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    target.set(part, at)
    at += part.length
  }
  return target
}
