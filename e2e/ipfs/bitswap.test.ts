import { createHash } from 'node:crypto'
import { cidParts, encodeCid, parseCid, rawCid, type Cid } from '@openregistry/dag'
import {
  BitswapClient,
  freePort,
  HttpClient,
  randomFrom,
  randomMultiPlatformImage,
  wantlistMessage,
} from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { setVisibility } from '../access/fixture.ts'
import { Repository } from '../conformance/repository.ts'
import { startReplica } from '../conformance/start-registry.ts'
import { blocksOf } from './image-blocks.ts'

/*
 * The rule of all IPFS surfaces, where it is asked by Bitswap: what is not for everybody is answered like what nobody has.
 */
const name = 'secret/app'
const tag = 'v1'
const random = randomFrom('bitswap of a registry')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Everything that a node answers to one message, under the CIDs as they were asked for. */
async function ask(address: string, cids: readonly Cid[], type: 'have' | 'block') {
  await using client = await BitswapClient.connect(address)
  const wants = cids.map((cid) => ({ cid: encodeCid(cidParts(cid)), type, sendDontHave: true }))
  await client.ask(wantlistMessage(wants))
  const { blocks, has, hasNot } = await client.told(
    (told) => told.blocks.length + told.has.length + told.hasNot.length === cids.length,
  )
  const hashes = blocks.map(({ data }) => createHash('sha256').update(data).digest('hex'))
  return { hashes: hashes.toSorted(), has: has.toSorted(), hasNot }
}

test('Bitswap has no block of a private image, all of it once it is public, and none again after that', async () => {
  const port = await freePort()
  const address = `/ip4/127.0.0.1/tcp/${port}`
  await using registry = await startReplica({
    OPEN_REGISTRY_IPFS_NODE: 'true',
    OPEN_REGISTRY_IPFS_LISTEN: `127.0.0.1:${port}`,
    OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private',
  })
  using http = new HttpClient(registry.origin)
  const image = randomMultiPlatformImage(random, { layerSize: 1_200_000 })
  const repository = new Repository(http, name)
  for (const one of image.images) await repository.pushImage(one)
  await repository.pushManifest(image.index, tag)
  const { all, layout, repository: directory } = await blocksOf(image, tag)
  const askForCids = async (): Promise<string[]> => {
    const path = `/api/v1/repositories/${encodeURIComponent(name)}/cid`
    const answers = [await http.send({ path: `${path}?reference=${tag}` }), await http.send({ path })]
    return answers.map((answer) => (answer.json() as { cid: string }).cid)
  }
  expect(await askForCids()).toEqual([layout, directory])

  const mine = [...new Set([...all, directory])]
  // Between them, what nobody has: nothing but the CIDs themselves tells which is which.
  const asked = mine.flatMap((cid) => [cid, rawCid(random.bytes(32))])
  const spelled = (cids: readonly Cid[]): string[] => cids.map((cid) => hex(encodeCid(cidParts(cid))))
  const nothing = { hashes: [], has: [], hasNot: spelled(asked) }
  const expectNothing = async (): Promise<void> => {
    expect(await ask(address, asked, 'have')).toEqual(nothing)
    expect(await ask(address, asked, 'block')).toEqual(nothing)
  }
  await expectNothing()
  await setVisibility(http, name, 'public')
  await askForCids()
  const others = spelled(asked.filter((_, at) => at % 2 === 1))
  expect(await ask(address, asked, 'have')).toEqual({
    hashes: [],
    has: spelled(mine).toSorted(),
    hasNot: others,
  })
  const hashes = mine.map((cid) => hex(cidParts(parseCid(cid)).digest)).toSorted()
  expect(await ask(address, asked, 'block')).toEqual({ hashes, has: [], hasNot: others })
  await setVisibility(http, name, 'private')
  await expectNothing()
})
