import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { NameKeys, PublicName } from '@openregistry/core'
import { dagPbCid, ipnsName, peerId, verifyIpnsRecord } from '@openregistry/dag'
import type { RepositoryName } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { answerName, type NameRequest } from './answer-name.ts'
import { createPublishedNames, recordTtl } from './published-names.ts'

const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const privateKeyOf = (id: string) =>
  createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.alloc(32, id)]), format: 'der', type: 'pkcs8' })
const keys: NameKeys = {
  publicKey: (id) => Buffer.from(createPublicKey(privateKeyOf(id)).export({ format: 'jwk' }).x!, 'base64url'),
  sign: (id, message) => sign(null, message, privateKeyOf(id)),
}

const now = Date.parse('2030-01-02T03:04:05Z')
const shown: PublicName = {
  repository: { id: 'mine', name: 'me/app' as RepositoryName, visibility: 'public' },
  ...{ root: new Uint8Array(32).fill(9), sequence: 5, validUntil: now + 3_600_000, now },
}
const key = keys.publicKey('mine')
const name = ipnsName(key)

function namesOf(found: PublicName | null) {
  return createPublishedNames(
    {
      findPublicName: (publicKey) => Promise.resolve(Buffer.compare(publicKey, key) === 0 ? found : null),
    },
    keys,
  )
}

test('a record leads to the directory, and whoever has the name can check it', async () => {
  for (const form of [name, peerId(key)]) {
    const { bytes, maxAge } = (await namesOf(shown).record(form))!
    const value = await verifyIpnsRecord(bytes, {
      ...{ publicKey: key, now },
      verify: (message, signature) => verify(null, message, createPublicKey(privateKeyOf('mine')), signature),
    })
    const { sequence, validUntil } = shown
    expect(value).toEqual({ value: `/ipfs/${dagPbCid(shown.root)}`, sequence, validUntil, ttl: recordTtl })
    expect(maxAge).toBe(recordTtl)
  }
})

test('nobody remembers one for longer than it may be believed', async () => {
  const { maxAge } = (await namesOf({ ...shown, validUntil: now + 5000 }).record(name))!
  expect(maxAge).toBe(5000)
})

test('there is none of a private repository, of a name that is not here, and of one of another key', async () => {
  const repository = { ...shown.repository, visibility: 'private' } as const
  expect(await namesOf({ ...shown, repository }).record(name)).toBeNull()
  expect(await namesOf(null).record(name)).toBeNull()
  expect(await namesOf(shown).record('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG')).toBeNull()
  const others = { ...shown, repository: { ...shown.repository, id: 'other' } }
  expect(await namesOf(others).record(name)).toBeNull()
  await expect(namesOf(shown).record('example.org')).rejects.toMatchObject({ code: 'CID_INVALID' })
})

const ask = (changes: Partial<NameRequest> & { text?: string }, conditions = {}) =>
  answerName(
    namesOf(shown),
    {
      ...{ path: name, accept: undefined, byDefault: false, ...changes },
      query: new URLSearchParams(changes.text ?? ''),
    },
    { method: 'GET', ...conditions },
  )

test.each([
  ['by the query', { text: 'format=ipns-record' }, true],
  ['by the header', { accept: 'text/html;q=0.1, application/vnd.ipfs.ipns-record' }, true],
  ['with a slash behind it', { path: `${name}/`, text: 'format=ipns-record' }, true],
  ['by nothing', {}, false],
  ['as a block', { text: 'format=raw' }, false],
  ['as a block and by the header', { text: 'format=raw', accept: 'application/vnd.ipfs.ipns-record' }, false],
  ['of a router by nothing', { byDefault: true }, true],
  ['of a router by anything', { byDefault: true, accept: '*/*' }, true],
  ['of a router as something else', { byDefault: true, accept: 'application/json' }, false],
] as const)('a record asked for %s: %j %s', async (_, request, isServed) => {
  const answer = ask(request)
  if (!isServed) return expect(answer).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' })
  expect((await answer).headers['Content-Type']).toBe('application/vnd.ipfs.ipns-record')
})

test('an answer can be kept as long as it says, and asked for again', async () => {
  const request = { text: 'format=ipns-record' }
  const { headers, length, body } = await ask(request)
  expect(headers).toMatchObject({
    'Cache-Control': 'public, max-age=60',
    'Content-Disposition': `attachment; filename="${name}.ipns-record"`,
    'X-Content-Type-Options': 'nosniff',
  })
  expect(length).toBe((body as Uint8Array).length)
  expect(await ask(request, { method: 'HEAD' })).toMatchObject({ status: 200, headers, length, body: null })
  expect(await ask(request, { ifNoneMatch: headers['ETag'] })).toMatchObject({ status: 304, body: null })
})

test('what is not here says so', async () => {
  const text = 'format=ipns-record'
  const path = ipnsName(keys.publicKey('nobody'))
  await expect(ask({ path, text })).rejects.toMatchObject({ code: 'CONTENT_UNKNOWN' })
  await expect(ask({ path, text }, { onlyIfCached: true })).rejects.toMatchObject({ code: 'NOT_CACHED' })
  await expect(ask({ path: `${name}/v1`, text })).rejects.toMatchObject({ code: 'PARAMETER_INVALID' })
})
