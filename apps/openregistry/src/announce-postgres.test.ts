import { cidParts, parseCid } from '@openregistry/dag'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { describeWithPostgres, DhtServer, freePort } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { smallestOn } from './testing/on-postgres.ts'
import { pushImage } from './testing/push-image.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const [first, second, third] = ['me/first', 'me/second', 'me/third'].map(parseRepositoryName)
const tag = parseTag('v1')

/** Far enough for whatever happens every ten seconds. */
const patience = { timeout: 90_000, interval: 200 }

/** How peers of the DHT are told of it. */
const keyOf = (cid: string): string => `1220${Buffer.from(cidParts(parseCid(cid)).digest).toString('hex')}`

describeWithPostgres('two servers that announce', (cluster) => {
  test('are one peer that says everything once, and one goes on without the other', async () => {
    await using folder = await temporaryFolder()
    await using peer = await DhtServer.start()
    const shared = {
      ...smallestOn(await cluster().createDatabase()),
      OPEN_REGISTRY_HTTP_PUBLIC_URL: 'http://127.0.0.1:5000',
      OPEN_REGISTRY_IPFS_NODE: 'true',
      OPEN_REGISTRY_IPFS_ANNOUNCE: 'true',
      OPEN_REGISTRY_IPFS_BOOTSTRAP: peer.address,
    }
    const start = async (): Promise<ServerUnderTest> =>
      runServer({
        cwd: folder.path,
        env: { ...shared, OPEN_REGISTRY_IPFS_LISTEN: `127.0.0.1:${await freePort()}` },
      })
    await using one = await start()
    await using other = await start()

    /** Pushes to the one, and asks the other for the CIDs of the image and of the repository. */
    async function show(name: typeof first, at: ServerUnderTest, asked: ServerUnderTest): Promise<string[]> {
      await pushImage(at.client, `${name}:v1`, 10_000)
      const cids = [await asked.client.api.cid(name!, tag), await asked.client.api.cid(name!, null)]
      return cids.map(({ cid }) => keyOf(cid))
    }
    const told = (): string[] => peer.records.map(({ key }) => key).toSorted()

    const keys = [...(await show(first, one, other)), ...(await show(second, other, one))]
    await expect.poll(told, patience).toEqual(keys.toSorted())
    expect(new Set(peer.records.map(({ provider }) => provider)).size).toBe(1)

    await other.client.api.setVisibility(second!, 'private')
    await one.stop()
    await pushImage(other.client, `${second}:v2`, 10_000)
    const more = await show(third, other, other)
    await expect.poll(told, patience).toEqual([...keys, ...more].toSorted())
  }, 180_000)
})
