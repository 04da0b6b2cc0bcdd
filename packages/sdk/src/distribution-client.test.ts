import { createHash } from 'node:crypto'
import { mediaTypes, parseDigest, parseRepositoryName, parseTag } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { createRegistryClient } from './registry-client.ts'
import { scriptedFetch } from './scripted-fetch.ts'

const server = 'http://registry.test:5000'
const name = parseRepositoryName('me/app')
const latest = parseTag('latest')
const bytes = new TextEncoder().encode('{"schemaVersion":2}')
const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)

function clientWith(...answers: Response[]) {
  const { fetch, sent } = scriptedFetch(answers)
  return { client: createRegistryClient({ server, fetch }), sent }
}

test('lists follow links to the last page', async () => {
  const { client, sent } = clientWith(
    Response.json(
      { tags: ['a', 'b'] },
      { headers: { Link: '</v2/me/app/tags/list?n=2&last=b>; rel="next"' } },
    ),
    Response.json({ tags: null }),
  )
  expect(await Array.fromAsync(client.oci.tags(name, { pageSize: 2 }))).toEqual([['a', 'b'], []])
  expect(sent.map(({ url }) => url)).toEqual([
    `${server}/v2/me/app/tags/list?n=2`,
    `${server}/v2/me/app/tags/list?n=2&last=b`,
  ])
})

test('a list is read no further than it is asked for', async () => {
  const { client, sent } = clientWith(
    Response.json({ repositories: ['a'] }, { headers: { Link: '<?last=a>; rel="next"' } }),
  )
  for await (const page of client.oci.repositories()) {
    expect(page).toEqual(['a'])
    break
  }
  expect(sent).toHaveLength(1)
})

test('referrers can be filtered', async () => {
  const { client, sent } = clientWith(Response.json({ manifests: [] }))
  await Array.fromAsync(client.oci.referrers(name, digest, { artifactType: 'a/b+c', pageSize: 5 }))
  expect(sent[0]?.url).toBe(`${server}/v2/me/app/referrers/${digest}?artifactType=a%2Fb%2Bc&n=5`)
})

test('a manifest comes with its facts, and its bytes are checked against the digest asked for', async () => {
  const headers = {
    'Content-Type': `${mediaTypes.ociManifest}; charset=utf-8`,
    'Docker-Content-Digest': digest,
  }
  const { client, sent } = clientWith(
    new Response(bytes, { headers }),
    new Response(bytes, { headers }),
    new Response('{}', { headers }),
  )
  const manifest = await client.oci.getManifest(name, latest)
  expect(manifest).toEqual({ digest, mediaType: mediaTypes.ociManifest, size: bytes.length, bytes })
  expect(sent[0]?.headers.get('accept')).toContain(mediaTypes.ociIndex)
  expect((await client.oci.getManifest(name, digest)).bytes).toEqual(bytes)
  await expect(client.oci.getManifest(name, digest)).rejects.toMatchObject({ code: 'DIGEST_INVALID' })
})

test('a blob is pushed to where the registry says, with what it put there', async () => {
  const location = '/v2/me/app/blobs/uploads/1?state=a%2Bb'
  const { client, sent } = clientWith(
    new Response(null, { status: 202, headers: { Location: location } }),
    new Response(null, { status: 201 }),
  )
  await client.oci.uploadBlob(name, digest, bytes)
  const target = new URL(sent[1]?.url ?? '')
  expect(sent[1]?.method).toBe('PUT')
  expect(target.pathname).toBe('/v2/me/app/blobs/uploads/1')
  expect(Object.fromEntries(target.searchParams)).toEqual({ state: 'a+b', digest })
})

test('an upload without a place is an error', async () => {
  const { client } = clientWith(new Response(null, { status: 202 }))
  await expect(client.oci.uploadBlob(name, digest, bytes)).rejects.toMatchObject({ code: 'NOT_A_REGISTRY' })
})

test('the management API writes a name as one segment', async () => {
  const { client, sent } = clientWith(
    Response.json({ tags: [], next: null }),
    Response.json({ name: 'me/app', visibility: 'private' }),
    new Response(null, { status: 204 }),
  )
  expect(await client.api.tags(name, { limit: 3, after: 'a&b' })).toEqual({ items: [], next: null })
  await client.api.setVisibility(name, 'private')
  await client.api.deleteRepository(name)
  expect(sent.map(({ method, url }) => `${method} ${url.slice(server.length)}`)).toEqual([
    'GET /api/v1/repositories/me%2Fapp/tags?n=3&last=a%26b',
    'PATCH /api/v1/repositories/me%2Fapp',
    'DELETE /api/v1/repositories/me%2Fapp',
  ])
  expect(sent[1]?.body).toBe('{"visibility":"private"}')
})
