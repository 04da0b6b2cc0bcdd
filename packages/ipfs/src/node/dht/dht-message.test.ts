import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BitswapError } from '../bitswap/bitswap-error.ts'
import { addProviderMessage, findNodeMessage, readCloserPeers, type DhtPeer } from './dht-message.ts'

const key = Uint8Array.of(0x12, 0x20, 0xaa)
const peer = { id: Uint8Array.of(1, 2), addresses: [Uint8Array.of(3), Uint8Array.of(4, 5)] }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A field of bytes, as it is written. */
const field = (number: number, bytes: Uint8Array): Buffer => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
  return Buffer.concat([Uint8Array.of((number << 3) | 2, ...length), bytes])
}

const answerOf = (peers: readonly DhtPeer[]): Buffer =>
  Buffer.concat(
    peers.map(({ id, addresses }) =>
      field(
        8,
        Buffer.concat([field(1, id), ...addresses.map((one) => field(2, one)), Uint8Array.of(0x18, 1)]),
      ),
    ),
  )

test('messages are written as the specification has them, with their length in front', () => {
  expect(hex(findNodeMessage(key))).toBe('07' + '0804' + '1203' + '1220aa')
  const said = '0a020102' + '120103' + '12020405'
  expect(hex(addProviderMessage(key, peer))).toBe('14' + '0802' + '1203' + '1220aa' + '4a0b' + said)
})

test('the peers of an answer are read as they were written, the first ones of many', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength })
  const peers = fc.record({ id: bytes(64), addresses: fc.array(bytes(256), { maxLength: 16 }) })
  fc.assert(
    fc.property(fc.array(peers, { maxLength: 30 }), fc.integer({ min: 1, max: 30 }), (written, limit) => {
      const message = Buffer.concat([Uint8Array.of(8, 4), field(2, key), answerOf(written)])
      const plain = (all: readonly DhtPeer[]) => all.map((one) => [hex(one.id), one.addresses.map(hex)])
      expect(plain(readCloserPeers(message, limit))).toEqual(plain(written.slice(0, limit)))
    }),
  )
})

test('of a peer with too much, what is too much is left out', () => {
  const addresses = [new Uint8Array(257), ...Array.from({ length: 40 }, () => Uint8Array.of(1))]
  const nobody = { id: new Uint8Array(65), addresses: [Uint8Array.of(1)] }
  const [read, ...others] = readCloserPeers(answerOf([{ id: peer.id, addresses }, nobody]), 20)
  expect(read?.addresses).toHaveLength(16)
  expect(others).toEqual([])
})

test('any bytes are read to their end, or are no message: nothing hangs or fails in another way', () => {
  const changed = fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => {
    const bytes = answerOf([peer, peer])
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => {
      try {
        expect(readCloserPeers(bytes, 20).length).toBeLessThanOrEqual(20)
      } catch (error) {
        expect(error).toBeInstanceOf(BitswapError)
      }
    }),
    { numRuns: 500 },
  )
})
