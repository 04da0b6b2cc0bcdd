import { afterAll, beforeAll, describe, test } from 'vitest'
import { IpfsClusterPeer, type IpfsClusterOptions } from './cluster-peer.ts'
import { findIpfsPeer, requireIpfsPeer } from './find-ipfs-peer.ts'
import { KuboNode } from './kubo-node.ts'

/** Tests that are given a running peer and its node. */
type TestsOfPeer = (running: () => { peer: IpfsClusterPeer; node: KuboNode }) => void

/**
 * A group of tests that share one peer of an IPFS Cluster and its Kubo node. Where either is not installed, one test stands
 * for all of them and is skipped with the reason.
 */
export function describeWithIpfsCluster(
  name: string,
  body: TestsOfPeer,
  options: IpfsClusterOptions = {},
): void {
  const missing = findIpfsPeer('kubo') === null || findIpfsPeer('ipfs-cluster') === null
  const register = missing ? registerStandIn : registerTests
  describe(`${name}`, () => {
    register(body, options)
  })
}

function registerStandIn(): void {
  test('needs Kubo and IPFS Cluster', (context) => {
    requireIpfsPeer(context, 'kubo')
    requireIpfsPeer(context, 'ipfs-cluster')
  })
}

function registerTests(body: TestsOfPeer, options: IpfsClusterOptions): void {
  const started = new AsyncDisposableStack()
  let running: { peer: IpfsClusterPeer; node: KuboNode } | null = null
  beforeAll(async () => {
    const node = started.use(await KuboNode.start())
    running = { node, peer: started.use(await IpfsClusterPeer.start(node, options)) }
  })
  afterAll(() => started.disposeAsync())
  body(() => {
    if (running === null) throw new Error('The peer is not started yet.')
    return running
  })
}
