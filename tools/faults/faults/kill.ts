import { blobPoints, metadataPoints, somePoints } from './points.ts'
import { someMoment, someReplica, type Fault, type Stage } from './stage.ts'

/** A process is killed at a random moment. */
export const killAnywhere: Fault = {
  name: 'kill anywhere',
  shapes: ['embedded', 's3', 'kubo', 'cluster', 'replicas', 'stack'],
  async run(stage) {
    await someMoment(stage)
    await whileDown(stage, async () => {
      const replica = someReplica(stage)
      stage.report.fault(this.name, replica.name)
      await replica.kill()
      await stage.deployment.restart(replica)
    })
  },
}

/** A process is killed just before or after one of its operations. */
export const killAtPoint: Fault = {
  name: 'kill at a point',
  shapes: ['embedded', 's3', 'kubo', 'cluster', 'replicas', 'stack'],
  async run(stage) {
    await someMoment(stage)
    await whileDown(stage, async () => {
      const how = await dieAtPoint(stage)
      stage.report.fault(how.trapped ? this.name : killAnywhere.name, how.text)
      await stage.deployment.start()
    })
  },
}

/** The machine with the blobs loses its power, in the middle of something or anywhere. */
export const cutPower: Fault = {
  name: 'power cut',
  shapes: ['embedded', 'replicas'],
  async run(stage) {
    await someMoment(stage)
    await whileDown(stage, async () => {
      const place = stage.random.integer(0, 2) > 0 ? (await dieAtPoint(stage)).text : 'anywhere'
      const changed = await stage.deployment.cutPower(stage.random)
      stage.report.fault(this.name, `${place}; ${changed} files are not what they were`)
      await stage.deployment.start()
    })
  },
}

/** Sets a trap and waits until a process died in it, or kills it when it never got there. */
async function dieAtPoint(stage: Stage): Promise<{ trapped: boolean; text: string }> {
  const { random, progress } = stage
  const replica = someReplica(stage)
  const points = somePoints(random, [...metadataPoints, ...blobPoints, ...blobPoints])
  const skip = random.integer(0, 4)
  await replica.ask({ ask: 'trap', trap: { points, skip, action: { kind: 'kill' } } })
  await Promise.race([replica.gone, progress.finished])
  const trapped = !replica.isUp
  await replica.kill()
  return { trapped, text: `${replica.name} at ${points.join(', ')}` }
}

/** While processes are gone, requests may break. */
async function whileDown({ faultTimes }: Stage, happen: () => Promise<void>): Promise<void> {
  const over = faultTimes.begin()
  try {
    await happen()
  } finally {
    over()
  }
}
