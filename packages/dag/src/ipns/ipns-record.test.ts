import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { encode } from '@ipld/dag-cbor'
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import fc from 'fast-check'
import { createIPNSRecordWithExpiration, marshalIPNSRecord, unmarshalIPNSRecord } from 'ipns'
import { validate } from 'ipns/validator'
import { expect, test } from 'vitest'
import type { IpnsValue } from './ipns-data.ts'
import { IpnsError, type IpnsFault } from './ipns-error.ts'
import { encodeIpnsRecord, verifyIpnsRecord } from './ipns-record.ts'

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

function keyOf(seed: Uint8Array): { privateKey: KeyObject; publicKey: Uint8Array } {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { privateKey, publicKey: Buffer.from(x!, 'base64url') }
}

const mine = keyOf(Buffer.alloc(32, 1))
const others = keyOf(Buffer.alloc(32, 2))
const now = Date.parse('2030-01-02T03:04:05.678Z')
const value: IpnsValue = {
  value: '/ipfs/bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
  sequence: 1_893_553_445_678,
  validUntil: now + 48 * 3_600_000,
  ttl: 60_000,
}

const signedBy =
  ({ privateKey }: { privateKey: KeyObject }) =>
  (message: Uint8Array): Uint8Array =>
    sign(null, message, privateKey)

function check(record: Uint8Array, at = now, { publicKey } = mine): Promise<IpnsValue> {
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verifyIpnsRecord(record, {
    ...{ publicKey, now: at },
    verify: (message, signature) => verify(null, message, key, signature),
  })
}

async function faultOf(record: Uint8Array, at?: number, key = mine): Promise<IpnsFault | null> {
  try {
    await check(record, at, key)
    return null
  } catch (error) {
    if (error instanceof IpnsError) return error.fault
    throw error
  }
}

const record = encodeIpnsRecord(value, signedBy(mine))

test('a record is believed, and says what was put in', async () => {
  expect(await check(record)).toEqual(value)
  expect(encodeIpnsRecord(value, signedBy(mine))).toEqual(record)
})

test('another implementation believes it, with both signatures', async () => {
  await validate(publicKeyFromRaw(mine.publicKey), record)
  const read = unmarshalIPNSRecord(record)
  expect(read).toMatchObject({ value: value.value, sequence: BigInt(value.sequence) })
  expect('signatureV1' in read && read.signatureV1.length).toBe(64)
  const { value: told, validity } = read
  const signed = Buffer.concat([Buffer.from(told), Buffer.from(validity), Buffer.from('EOL')])
  const signatureV1 = 'signatureV1' in read ? read.signatureV1 : new Uint8Array()
  expect(verify(null, signed, createPublicKey(mine.privateKey), signatureV1)).toBe(true)
})

test.each([true, false])('one of another implementation is believed (with version 1: %s)', async (v1) => {
  const seed = Buffer.concat([Buffer.alloc(32, 1), mine.publicKey])
  const theirs = await createIPNSRecordWithExpiration(
    privateKeyFromRaw(seed),
    value.value,
    BigInt(value.sequence),
    '2030-01-04T03:04:05.678000000Z',
    { ttlNs: 60_000_000_000, v1Compatible: v1 },
  )
  expect(await check(marshalIPNSRecord(theirs))).toEqual(value)
  if (v1) expect(record).toEqual(Uint8Array.from(marshalIPNSRecord(theirs)))
})

test('nobody believes one that is over, or of another key, or too large', async () => {
  expect(await faultOf(record, value.validUntil)).toBe('expired')
  expect(await faultOf(record, value.validUntil - 1)).toBeNull()
  expect(await faultOf(record, now, others)).toBe('forged')
  expect(await faultOf(encodeIpnsRecord(value, signedBy(others)))).toBe('forged')
  const large = encodeIpnsRecord({ ...value, value: `/ipfs/${'a'.repeat(10_240)}` }, signedBy(mine))
  expect(await faultOf(large)).toBe('too large')
  const foreign = Uint8Array.from([...record, 0x3a, 36, 8, 1, 18, 32, ...others.publicKey])
  expect(await faultOf(foreign)).toBe('other key')
  const own = Uint8Array.from([...record, 0x3a, 36, 8, 1, 18, 32, ...mine.publicKey])
  expect(await faultOf(own)).toBeNull()
})

test('nobody believes what is only under the old signature, or says two things', async () => {
  const other = encodeIpnsRecord({ ...value, value: '/ipfs/bafkqaaa' }, signedBy(mine))
  const at = (bytes: Uint8Array, tag: number): number => fieldStart(bytes, tag)
  // The fields of one, the signed data of the other.
  const mixed = Buffer.concat([other.subarray(0, at(other, 0x42)), record.subarray(at(record, 0x42))])
  expect(await faultOf(mixed)).toBe('malformed')
  expect(await faultOf(record.subarray(0, at(record, 0x42)))).toBe('malformed')
  expect(await faultOf(record.subarray(at(record, 0x42)))).toBeNull()
})

/** Where a field begins. */
function fieldStart(bytes: Uint8Array, tag: number): number {
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === tag) return at
    const isNumber = (bytes[at]! & 7) === 0
    at++
    if (isNumber) {
      while (bytes[at]! >= 128) at++
      at++
    } else {
      const long = bytes[at]! >= 128
      const length = long ? (bytes[at]! & 127) + bytes[at + 1]! * 128 : bytes[at]!
      at += length + (long ? 2 : 1)
    }
  }
  throw new Error('There is no such field.')
}

const signedData = (data: unknown): Uint8Array => {
  const bytes = encode(data as never)
  const signature = signedBy(mine)(Buffer.concat([Buffer.from('ipns-signature:'), bytes]))
  const head = (tag: number, length: number): number[] =>
    length < 128 ? [tag, length] : [tag, (length % 128) + 128, Math.floor(length / 128)]
  return Uint8Array.from([
    ...head(0x42, signature.length),
    ...signature,
    ...head(0x4a, bytes.length),
    ...bytes,
  ])
}

const data = {
  Value: Buffer.from(value.value),
  Validity: Buffer.from('2030-02-02T03:04:05.123456789Z'),
  ...{ ValidityType: 0, Sequence: 7, TTL: 1_000_000 },
}

test('what is signed has to make sense', async () => {
  expect(await check(signedData({ ...data, _other: [1] }))).toMatchObject({ sequence: 7, ttl: 1 })
  const wrong = [
    { ...data, ValidityType: 1 },
    { ...data, Validity: Buffer.from('tomorrow') },
    { ...data, Validity: Buffer.from('2030-13-02T03:04:05Z') },
    { ...data, Value: 'text' },
    { ...data, Value: Buffer.from([0xff]) },
    { ...data, Sequence: -1 },
    { ...data, TTL: -1 },
    { Value: data.Value },
    [1, 2],
    7,
  ]
  for (const one of wrong) expect(await faultOf(signedData(one))).toBe('malformed')
})

test('property: whichever bit is changed, nothing but what was signed is believed', async () => {
  const bit = fc.record({ at: fc.nat(record.length - 1), bit: fc.nat(7) })
  await fc.assert(
    fc.asyncProperty(bit, async ({ at, bit: one }) => {
      const changed = Uint8Array.from(record)
      changed[at]! ^= 1 << one
      const believed = await check(changed).catch((error: unknown) => {
        if (error instanceof IpnsError) return null
        throw error
      })
      // We do not look at the old signature, and a field that is left out may say what is said anyway.
      if (believed !== null) expect(believed).toEqual(value)
      const [v1, signed] = [fieldStart(record, 0x12), fieldStart(record, 0x42)]
      if (at < v1 || at >= signed) expect(believed).toBeNull()
    }),
    { numRuns: 500 },
  )
})

test('property: bytes of all kinds are refused, and nothing else happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(record.length), async (bytes, cut) => {
      expect(await faultOf(bytes)).not.toBeNull()
      const torn = record.subarray(0, cut)
      if (cut < record.length) expect(await faultOf(torn)).not.toBeNull()
    }),
  )
})

test('property: what is written is read', async () => {
  const values = fc.record({
    value: fc.string({ unit: 'grapheme', maxLength: 200 }).map((path) => `/ipfs/${path}`),
    sequence: fc.nat(Number.MAX_SAFE_INTEGER),
    validUntil: fc.integer({ min: now + 1, max: Date.parse('9999-01-01T00:00:00Z') }),
    ttl: fc.nat(9_000_000_000),
  })
  await fc.assert(
    fc.asyncProperty(values, async (one) => {
      expect(await check(encodeIpnsRecord(one, signedBy(mine)))).toEqual(one)
    }),
  )
})
