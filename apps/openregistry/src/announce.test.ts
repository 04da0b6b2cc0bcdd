import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseRepositoryName, parseTag } from '@openregistry/oci'
import { describeWithKubo, freePort, KuboNode } from '@openregistry/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const [shownName, otherName, closedName] = ['me/shown', 'me/other', 'me/closed'].map(parseRepositoryName) as [
  ReturnType<typeof parseRepositoryName>,
  ReturnType<typeof parseRepositoryName>,
  ReturnType<typeof parseRepositoryName>,
]
const tag = parseTag('v1')

/** A node that takes part in the DHT, also at addresses of this machine. */
const dht = { 'Routing.Type': 'dhtserver', 'Routing.LoopbackAddressesOnLanDHT': true }

/** Far enough for whatever happens every ten seconds. */
const patience = { timeout: 60_000, interval: 200 }

/** Rows of `findprovs`: what was found is of this type. */
const providerFound = 4

describeWithKubo(
  'a registry that announces what is public',
  (router) => {
    const opened = new AsyncDisposableStack()
    let folder: string
    let env: Record<string, string>
    let registry: ServerUnderTest
    let asking: KuboNode
    let shown: PushedImage

    beforeAll(async () => {
      folder = opened.use(await temporaryFolder()).path
      asking = opened.use(await KuboNode.start({ config: dht }))
      await asking.connect(router())
      const { Addresses } = JSON.parse(await router().call('id')) as { Addresses: string[] }
      env = {
        OPEN_REGISTRY_HTTP_PUBLIC_URL: 'http://127.0.0.1:5000',
        OPEN_REGISTRY_IPFS_NODE: 'true',
        OPEN_REGISTRY_IPFS_ANNOUNCE: 'true',
        OPEN_REGISTRY_IPFS_BOOTSTRAP: Addresses[0] ?? '',
        OPEN_REGISTRY_IPFS_LISTEN: `127.0.0.1:${await freePort()}`,
        OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private',
      }
      registry = await runServer({ cwd: folder, env })
      shown = await pushImage(registry.client, 'me/shown:v1', 3_000_000)
      await pushImage(registry.client, 'me/other:v1', 100_000)
      await pushImage(registry.client, 'me/closed:v1', 100_000)
      for (const name of [shownName, otherName]) {
        await registry.client.api.setVisibility(name, 'public')
        // Now, and not after the next change of a tag.
        await registry.client.api.cid(name, null)
      }
    }, 120_000)
    afterAll(async () => {
      await registry.stop()
      await opened.disposeAsync()
    })

    async function number(metric: string): Promise<number> {
      const text = await (await fetch(`${registry.server}/metrics`)).text()
      const line = text.split('\n').find((one) => one.startsWith(`openregistry_${metric} `))
      return Number(line?.split(' ')[1] ?? NaN)
    }

    /** Peer IDs of those who have something, as Kubo finds them in the DHT. */
    async function providersOf(cid: string): Promise<string[]> {
      const lines = (await asking.call('routing/findprovs', { arg: cid })).trim().split('\n')
      const rows = lines.map(
        (line) => JSON.parse(line) as { Type: number; Responses: { ID: string }[] | null },
      )
      return rows
        .filter(({ Type }) => Type === providerFound)
        .flatMap(({ Responses }) => Responses ?? [])
        .map(({ ID }) => ID)
    }

    function peerOf({ log }: ServerUnderTest): string {
      return String(log.find(({ event }) => event === 'ipfs_node_start')?.['peer'])
    }

    test('is found by a stock Kubo that knows the CID of an image alone, and gives it whole', async () => {
      // Two images, and the directories of two repositories.
      await expect.poll(() => number('ipfs_announcements_total{result="announced"}'), patience).toBe(4)
      const { cid } = await registry.client.api.cid(shownName, tag)
      expect(await providersOf(cid)).toEqual([peerOf(registry)])
      const path = join(folder, 'got')
      await asking.get(`/ipfs/${cid}`, path)
      const bytes = await readFile(join(path, 'blobs/sha256', shown.layer.digest.split(':')[1] ?? ''))
      expect(bytes.equals(shown.layer.bytes)).toBe(true)
      const directory = await registry.client.api.cid(shownName, null)
      expect(await providersOf(directory.cid)).toEqual([peerOf(registry)])
    }, 60_000)

    test('says nothing of a private one', async () => {
      const image = await registry.client.api.cid(closedName, tag)
      const directory = await registry.client.api.cid(closedName, null)
      for (const { cid } of [image, directory]) expect(await providersOf(cid)).toEqual([])
    })

    test('shows when it announced what', async () => {
      const run = (...args: string[]) =>
        runCommand(['ls', '--storage', ...args], {
          cwd: folder,
          env: { OPEN_REGISTRY_SERVER: registry.server },
        })
      const [head, row] = (await run('me/shown')).stdout.split('\n')
      expect(head).toMatch(/ {2}ANNOUNCED$/)
      expect(row).toMatch(/ {2}(just now|\d+ s ago|\d+ seconds ago|1 minute ago)$/)
      const json = JSON.parse((await run('me/shown', '--json')).stdout) as { tags: { announced: string }[] }
      expect(json.tags[0]?.announced).toMatch(/^\d{4}-.*Z$/)
      expect((await run('me/closed')).stdout).not.toContain('ANNOUNCED')
      const other = JSON.parse((await run('me/closed', '--json')).stdout) as typeof json
      expect(other.tags[0]?.announced).toBeNull()
    })

    test('announces nothing again of what was made private, and of the rest not before its time', async () => {
      await registry.client.api.setVisibility(shownName, 'private')
      await registry.stop()
      // A day passes for all but one, and it is time to look.
      const database = new DatabaseSync(join(folder, 'data', 'openregistry.db'))
      database.exec('UPDATE layouts SET announce_due_at = 0')
      database.exec(`
      UPDATE directories SET announce_due_at = 0
      WHERE repository_id = (SELECT id FROM repositories WHERE name = '${shownName}')`)
      database.exec("UPDATE jobs SET run_after = 0 WHERE kind = 'registry.announcements'")
      database.close()
      registry = await runServer({ cwd: folder, env })
      const runs = 'jobs_total{kind="registry.announcements",result="done"}'
      await expect.poll(() => number(runs), patience).toBeGreaterThan(0)
      const outcomes = ['announced', 'withdrawn', 'unanswered'].map((one) =>
        number(`ipfs_announcements_total{result="${one}"}`),
      )
      expect(await Promise.all(outcomes)).toEqual([1, 0, 0])
    }, 90_000)
  },
  { config: dht },
)
