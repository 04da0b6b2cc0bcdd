import { createPublicKey, verify } from 'node:crypto'
import { ipnsName } from '@openregistry/dag'
import { expect, test } from 'vitest'
import { keysOf } from './keys.ts'
import { nameKeysOf } from './name-keys.ts'

const keys = nameKeysOf(keysOf(new Uint8Array(32).fill(7)))
const repository = '01968b3e-7a00-7000-8000-000000000001'

test('a repository has the same name for ever', () => {
  // Whoever changes this takes all names away.
  expect(ipnsName(keys.publicKey(repository))).toBe(
    'k51qzi5uqu5dj7aucqhj0if3t08h0behd3wkm9iyu4q5tx0xbkcljaymtjbkca',
  )
  expect(keys.publicKey(repository)).not.toEqual(keys.publicKey(`${repository}0`))
})

test('what is signed is under the key of the name', () => {
  const x = Buffer.from(keys.publicKey(repository)).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const message = Buffer.from('a message')
  expect(verify(null, message, key, keys.sign(repository, message))).toBe(true)
  expect(verify(null, message, key, keys.sign('another', message))).toBe(false)
})
