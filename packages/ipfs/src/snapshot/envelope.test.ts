import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { decodeDagValue, encodeDagValue, type Cid, type DagValue } from '@openregistry/dag'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEnvelope, encodeEnvelope, type Envelope } from './envelope.ts'
import { SnapshotError } from './snapshot-error.ts'

const keyOf = (seed: number) => {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = new Uint8Array(Buffer.from(x!, 'base64url'))
  return {
    publicKey,
    sign: (message: Uint8Array) => sign(null, message, privateKey),
    verify: (message: Uint8Array, signature: Uint8Array) =>
      verify(null, message, createPublicKey(privateKey), signature),
  }
}
const [mine, others] = [keyOf(1), keyOf(2)]
const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' as Cid
const envelope: Envelope = {
  publicKey: mine.publicKey,
  ...{
    createdAt: 1_893_553_445_678,
    scope: 'all',
    sealed: true,
    repositories: cid,
    parts: [cid],
    repositoryCount: 3,
  },
}
const bytes = encodeEnvelope(envelope, mine.sign)

test('an envelope is believed by who trusts its key, and nobody else', () => {
  expect(decodeEnvelope(bytes, mine)).toEqual(envelope)
  expect(() => decodeEnvelope(bytes, others)).toThrow('another key than the trusted one')
  const forged = encodeEnvelope(envelope, others.sign)
  expect(() => decodeEnvelope(forged, mine)).toThrow('forged')
})

test('what another release has written says so, whoever signed it', () => {
  const content = decodeDagValue(bytes) as Record<string, DagValue>
  const newer = encodeDagValue({ ...content, version: 2 })
  expect(() => decodeEnvelope(newer, mine)).toThrow('has version 2; this program reads version 1')
  for (const value of [{ ...content, kind: 'another' }, [1], 7, 'text', {}]) {
    expect(() => decodeEnvelope(encodeDagValue(value as DagValue), mine)).toThrow('no snapshot')
  }
})

test('property: nothing can be changed, and no other bytes do more than be refused', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), fc.uint8Array({ maxLength: 200 }), (at, bit, noise) => {
      const changed = Uint8Array.from(bytes)
      changed[at]! ^= 1 << bit
      expect(() => decodeEnvelope(changed, mine)).toThrow(SnapshotError)
      expect(() => decodeEnvelope(noise, mine)).toThrow(SnapshotError)
    }),
    { numRuns: 1000 },
  )
})
