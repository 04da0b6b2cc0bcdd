import { expect, test } from 'vitest'
import { peerId } from './peer-id.ts'

test('the peer ID of a key is the one that Kubo gives it', () => {
  const key = Buffer.from('bc3a94f035bac59c33af81c939d1c5cefc7d23669a03b562a969f51be3d2a7d3', 'hex')
  expect(peerId(key)).toBe('12D3KooWNV8dGC299pqrtJeLNceT1ewgZKWDQ9ydZu9iGzxQf6ae')
})

test('a key of another length has none', () => {
  expect(() => peerId(new Uint8Array(33))).toThrow(RangeError)
})
