import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { peerId } from '../peer-id.ts'
import { IpnsError } from './ipns-error.ts'
import { ipnsName, parseIpnsName } from './ipns-name.ts'

const key = Buffer.from('bc3a94f035bac59c33af81c939d1c5cefc7d23669a03b562a969f51be3d2a7d3', 'hex')
const name = ipnsName(key)

test('the name of a key is what others call it', () => {
  expect(name).toBe(publicKeyFromRaw(key).toCID().toString(base36))
  expect(name).toBe('k51qzi5uqu5dkvh9sd6kf8ssu0wdy1t63okzfpng2vujl1zjqc9k7zvxtdwfkj')
})

test('a name is read in every form in which it is written', () => {
  const cid = CID.parse(name, base36)
  const forms = [name, name.toUpperCase(), cid.toString(base32), cid.toString(base58btc), peerId(key)]
  for (const form of forms) expect(parseIpnsName(form), form).toEqual(Uint8Array.from(key))
})

test('names of other keys are names, and not of ours', () => {
  expect(parseIpnsName('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG')).toBeNull()
  const secp = Uint8Array.of(8, 2, 18, 33, ...new Uint8Array(33))
  expect(parseIpnsName(base58btc.baseEncode(Uint8Array.of(0, secp.length, ...secp)))).toBeNull()
})

test.each([
  '',
  'en.wikipedia-on-ipfs.org',
  'bafkqaaa',
  'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
  '1',
  '1111111111111111',
  `${peerId(key)}1`,
  '1'.repeat(1000),
  'k51',
])('%j is no name', (text) => {
  expect(() => parseIpnsName(text)).toThrow(IpnsError)
})
