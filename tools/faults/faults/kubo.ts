import type { HttpFault, KuboNode } from '@openregistry/testkit'
import type { KuboUnderTest } from '../under-test/kubo.ts'
import { aWhile, someMoment, type Fault, type Stage } from './stage.ts'

/** The Kubo node crashes and comes back. */
export const kuboCrashes: Fault = {
  name: 'kubo away',
  shapes: ['kubo', 'cluster', 'stack'],
  async run(stage) {
    await someMoment(stage)
    const node = nodeOf(stage)
    stage.report.fault(this.name)
    const over = stage.faultTimes.begin()
    await node.stop('SIGKILL')
    await aWhile(stage, 50, 800)
    await node.start()
    over()
  },
}

/** The Kubo node stands still, with its connections open. */
export const kuboStandsStill: Fault = {
  name: 'kubo paused',
  shapes: ['kubo', 'cluster', 'stack'],
  async run(stage) {
    await someMoment(stage)
    const node = nodeOf(stage)
    stage.report.fault(this.name)
    const over = stage.faultTimes.begin()
    node.pause()
    await aWhile(stage, 100, 2500)
    node.resume()
    over()
  },
}

/**
 * Kubo collects its garbage. That is no fault: nothing may fail because of it. Behind a cluster it is one: blocks are not safe there
 * before they are pinned, and what is sent again and again may be given up.
 */
export const kuboCollects: Fault = {
  name: 'kubo collects its garbage',
  shapes: ['kubo', 'stack'],
  async run(stage) {
    const node = nodeOf(stage)
    for (let times = stage.random.integer(1, 3); times > 0; times--) {
      await someMoment(stage)
      stage.report.fault(this.name)
      await node.collectGarbage()
    }
  },
}

/** What happens to one request of four. Wrong bytes are not among it: they are marked, and that outlasts the fault. */
const troubles: readonly [string, HttpFault][] = [
  ['refuses', { kind: 'refuse', status: 503, body: '' }],
  ['fails', { kind: 'refuse', status: 500, body: '{"Message":"no"}' }],
  ['breaks off', { kind: 'cut request', after: 1000 }],
  ['breaks answers off', { kind: 'cut answer', after: 10 }],
  ['loses answers', { kind: 'lose answer' }],
  ['fails in trailers', { kind: 'trailer', message: '{"Message":"no"}' }],
  ['is silent', { kind: 'silence' }],
]

/** Requests to the Kubo node meet faults. */
export const troubledKubo: Fault = {
  name: 'troubled kubo',
  shapes: ['kubo', 'stack'],
  async run(stage) {
    await someMoment(stage)
    const { api, gateway } = kuboOf(stage)
    const { random } = stage
    const [name, fault] = random.pick([troubles[0]!, ...troubles.slice(1)])
    stage.report.fault(`kubo ${name}`)
    const over = stage.faultTimes.begin()
    for (const proxy of [api, gateway]) proxy.fault = () => (random.integer(1, 4) === 1 ? fault : null)
    await aWhile(stage, 200, 1000)
    for (const proxy of [api, gateway]) proxy.fault = null
    over()
  },
}

/** The node that has the blobs, be it behind a cluster. */
function nodeOf({ deployment }: Stage): KuboNode {
  const node = (deployment.kubo ?? deployment.ipfsCluster)?.node
  if (node === undefined) throw new Error('This shape has no Kubo node.')
  return node
}

function kuboOf({ deployment }: Stage): KuboUnderTest {
  if (deployment.kubo === null) throw new Error('This shape has no Kubo node.')
  return deployment.kubo
}
