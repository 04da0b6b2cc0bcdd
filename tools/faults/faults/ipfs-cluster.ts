import type { HttpFault } from '@openregistry/testkit'
import type { IpfsClusterUnderTest } from '../under-test/ipfs-cluster.ts'
import { aWhile, someMoment, type Fault, type Stage } from './stage.ts'

/** The peer of the cluster crashes and comes back. */
export const clusterCrashes: Fault = {
  name: 'cluster away',
  shapes: ['cluster'],
  async run(stage) {
    await someMoment(stage)
    const { peer } = clusterOf(stage)
    stage.report.fault(this.name)
    const over = stage.faultTimes.begin()
    await peer.stop('SIGKILL')
    await aWhile(stage, 50, 800)
    await peer.start()
    over()
  },
}

/** What happens to one request of four. */
const troubles: readonly [string, HttpFault][] = [
  ['refuses', { kind: 'refuse', status: 503, body: '' }],
  ['fails', { kind: 'refuse', status: 500, body: '{"code":500,"message":"no"}' }],
  ['breaks off', { kind: 'cut request', after: 1000 }],
  ['breaks answers off', { kind: 'cut answer', after: 10 }],
  ['loses answers', { kind: 'lose answer' }],
  ['is silent', { kind: 'silence' }],
]

/** Requests to the peer of the cluster, and to the gateway of its node, meet faults. */
export const troubledCluster: Fault = {
  name: 'troubled cluster',
  shapes: ['cluster'],
  async run(stage) {
    await someMoment(stage)
    const { api, gateway } = clusterOf(stage)
    const { random } = stage
    const [name, fault] = random.pick([troubles[0]!, ...troubles.slice(1)])
    stage.report.fault(`cluster ${name}`)
    const over = stage.faultTimes.begin()
    for (const proxy of [api, gateway]) proxy.fault = () => (random.integer(1, 4) === 1 ? fault : null)
    await aWhile(stage, 200, 1000)
    for (const proxy of [api, gateway]) proxy.fault = null
    over()
  },
}

function clusterOf({ deployment }: Stage): IpfsClusterUnderTest {
  if (deployment.ipfsCluster === null) throw new Error('This shape has no IPFS Cluster.')
  return deployment.ipfsCluster
}
