import { afterAll, beforeAll, describe, test } from 'vitest'
import { findIpfsPeer, requireIpfsPeer } from './find-ipfs-peer.ts'
import { KuboNode, type KuboOptions } from './kubo-node.ts'

/** Tests that are given a running node. */
type TestsOfNode = (node: () => KuboNode) => void

/**
 * A group of tests that share one Kubo node. Where Kubo is not installed, one test stands for all of them and is skipped
 * with the reason.
 */
export function describeWithKubo(name: string, body: TestsOfNode, options: KuboOptions = {}): void {
  const register = findIpfsPeer('kubo') === null ? registerStandIn : registerTests
  describe(`${name}`, () => {
    register(body, options)
  })
}

function registerStandIn(): void {
  test('needs Kubo', (context) => requireIpfsPeer(context, 'kubo'))
}

function registerTests(body: TestsOfNode, options: KuboOptions): void {
  let started: KuboNode | null = null
  beforeAll(async () => {
    started = await KuboNode.start(options)
  })
  afterAll(() => started?.[Symbol.asyncDispose]())
  body(() => {
    if (started === null) throw new Error('The node is not started yet.')
    return started
  })
}
