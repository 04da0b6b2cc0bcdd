import { HttpClient, randomImage, randomFrom, requireIpfsPeer, type KuboNode } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { Repository } from '../conformance/repository.ts'
import { startReplica } from '../conformance/start-registry.ts'
import { pin, readOffline, startKuboOf } from './kubo-of-registry.ts'

const random = randomFrom('names of repositories')

/** What a registry says of a repository. */
async function factsOf(http: HttpClient, name: string): Promise<{ cid: string; ipns: string }> {
  const answer = await http.send({ path: `/api/v1/repositories/${encodeURIComponent(name)}/cid` })
  expect(answer.status, answer.text()).toBe(200)
  return answer.json() as { cid: string; ipns: string }
}

/** Where Kubo is led by a name, when it asks anew. */
async function resolve(kubo: KuboNode, name: string): Promise<string> {
  const answer = await kubo.call('name/resolve', { arg: name, nocache: 'true', timeout: '20s' })
  return (JSON.parse(answer) as { Path: string }).Path
}

test('Kubo is led by the name of a repository, also after the next push', async (context) => {
  requireIpfsPeer(context, 'kubo')
  await using registry = await startReplica({})
  using http = new HttpClient(registry.origin)
  const repository = new Repository(http, 'me/named')
  const [first, second] = [randomImage(random), randomImage(random)]
  await repository.pushImage(first, 'v1')
  const before = await factsOf(http, 'me/named')
  await using kubo = await startKuboOf(registry.origin)
  expect(await resolve(kubo, before.ipns)).toBe(`/ipfs/${before.cid}`)

  await repository.pushImage(second, 'v2')
  // Nobody asks the registry for the CID: the name follows by itself.
  await expect
    .poll(() => resolve(kubo, before.ipns), { timeout: 60_000, interval: 1000 })
    .not.toBe(`/ipfs/${before.cid}`)
  const after = await factsOf(http, 'me/named')
  expect(await resolve(kubo, after.ipns)).toBe(`/ipfs/${after.cid}`)
  expect(after.ipns).toBe(before.ipns)

  await pin(kubo, after.cid)
  for (const [tag, image] of Object.entries({ v1: first, v2: second })) {
    const path = `${after.cid}/${tag}/blobs/${image.manifest.digest.replace(':', '/')}`
    expect((await readOffline(kubo, path)).equals(image.manifest.bytes)).toBe(true)
  }
})

test('Kubo finds nothing under the name of a repository that is private', async (context) => {
  requireIpfsPeer(context, 'kubo')
  await using registry = await startReplica({})
  using http = new HttpClient(registry.origin)
  await new Repository(http, 'me/closed').pushImage(randomImage(random), 'v1')
  const { ipns } = await factsOf(http, 'me/closed')
  await http.send({
    ...{
      method: 'PATCH',
      path: '/api/v1/repositories/me%2Fclosed',
      body: Buffer.from('{"visibility":"private"}'),
    },
    headers: { 'content-type': 'application/json' },
  })
  await using kubo = await startKuboOf(registry.origin)
  await expect(resolve(kubo, ipns)).rejects.toThrow('could not resolve name')
})
