import { createHash, randomBytes } from 'node:crypto'
import { describeWithKubo, MemoryBlockView } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { startNode } from '../start-node.ts'

const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${'7c'.repeat(32)}\n`

describeWithKubo(
  'a private network of Kubo nodes',
  (kubo) => {
    test('has a DHT of its own, in which a member is found that has announced something', async () => {
      const { Addresses } = JSON.parse(await kubo().call('id')) as { Addresses: string[] }
      const view = new MemoryBlockView()
      const block = randomBytes(100)
      view.addBlock(block)
      await using node = await startNode({
        ...{ view, seed: randomBytes(32), reachable: [], maxConnections: 20 },
        listen: [{ host: '127.0.0.1', port: 0 }],
        swarmKey: Buffer.from(swarmKey),
        observer: { sent: () => undefined, failed: () => undefined },
        bootstrap: Addresses.slice(0, 1),
      })
      const digest = createHash('sha256').update(block).digest()
      const mayTell = (): Promise<boolean> => Promise.resolve(true)
      expect(await node.announce(digest, { mayTell })).toBe('announced')
      const arg = `f01551220${digest.toString('hex')}`
      expect(await kubo().call('routing/findprovs', { arg })).toContain(node.peerId)
    })
  },
  { swarmKey, config: { 'Routing.Type': 'dhtserver', 'Routing.LoopbackAddressesOnLanDHT': true } },
)
