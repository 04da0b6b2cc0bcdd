import type { BackendFault, Trap } from '../under-test/messages.ts'
import { blobPoints, metadataPoints, somePoints } from './points.ts'
import { aWhile, someMoment, someReplica, type Fault, type Stage } from './stage.ts'

/** Steps of the database fail, before they happened or after, so that nobody hears of it. */
export const failingSteps: Fault = {
  name: 'failing steps',
  shapes: ['embedded', 's3', 'kubo', 'cluster', 'replicas', 'stack'],
  run: (stage) => failAt(stage, 'failing steps', metadataPoints),
}

/** Operations of the blob store fail, before they happened or after. */
export const failingOperations: Fault = {
  name: 'failing operations',
  shapes: ['embedded', 's3', 'kubo', 'cluster', 'replicas', 'stack'],
  run: (stage) => failAt(stage, 'failing operations', blobPoints),
}

/** A process stands still in the middle of something, while others go on. */
export const sleepingWriter: Fault = {
  name: 'sleeping writer',
  shapes: ['embedded', 's3', 'kubo', 'cluster', 'replicas', 'stack'],
  async run(stage) {
    await someMoment(stage)
    const points = somePoints(stage.random, [...metadataPoints, ...blobPoints])
    const milliseconds = stage.random.integer(50, 700)
    await setTrap(stage, 'sleeping writer', { points, skip: 0, action: { kind: 'pause', milliseconds } })
  },
}

async function failAt(stage: Stage, name: string, from: readonly string[]): Promise<void> {
  await someMoment(stage)
  const over = stage.faultTimes.begin()
  try {
    const times = stage.random.integer(1, 6)
    await setTrap(stage, name, {
      points: somePoints(stage.random, from),
      skip: 0,
      action: { kind: 'fail', times },
    })
  } finally {
    over()
  }
}

async function setTrap(stage: Stage, name: string, trap: Trap): Promise<void> {
  const replica = someReplica(stage)
  stage.report.fault(name, `${replica.name} at ${trap.points.join(', ')}`)
  await replica.ask({ ask: 'trap', trap })
  await aWhile(stage, 300, 1000)
  await replica.ask({ ask: 'trap', trap: { ...trap, points: [] } })
}

/** The blob backend is away, slow, refuses, or gives other bytes than it was given. */
const backendFaults: readonly [string, BackendFault, BackendFault][] = [
  ['away', { away: true }, { away: false }],
  ['slow', { slow: 15 }, { slow: 0 }],
  ['not writing', { failWriteAt: 20_000 }, { failWriteAt: null }],
  ['not opening', { failOpen: true }, { failOpen: false }],
  ['not deleting', { failDelete: true }, { failDelete: false }],
  ['breaking reads', { failReadAt: 30_000 }, { failReadAt: null }],
  ['short reads', { endReadAt: 30_000 }, { endReadAt: null }],
  ['wrong bytes', { wrongByteAt: 17_000 }, { wrongByteAt: null }],
]

export const troubledBackend: Fault = {
  name: 'troubled backend',
  shapes: ['embedded', 'replicas'],
  spoilsReads: true,
  async run(stage) {
    await someMoment(stage)
    const { deployment, random, report, faultTimes } = stage
    const chosen = backendFaults[random.integer(0, backendFaults.length - 1)]
    if (chosen === undefined) return
    const [name, broken, well] = chosen
    report.fault(`backend ${name}`)
    const over = faultTimes.begin()
    await Promise.all(deployment.replicas.map((replica) => replica.ask({ ask: 'backend', faults: broken })))
    await aWhile(stage, 100, 700)
    await Promise.all(deployment.replicas.map((replica) => replica.ask({ ask: 'backend', faults: well })))
    over()
  },
}
