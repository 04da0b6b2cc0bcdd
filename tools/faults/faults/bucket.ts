import type { S3Fault } from '@openregistry/testkit'
import { aWhile, someMoment, type Fault, type Stage } from './stage.ts'

/** The S3 server crashes and comes back. */
export const bucketCrashes: Fault = {
  name: 'bucket away',
  shapes: ['s3'],
  async run(stage) {
    await someMoment(stage)
    const { server } = bucketOf(stage)
    stage.report.fault(this.name)
    const over = stage.faultTimes.begin()
    await server.stop('SIGKILL')
    await aWhile(stage, 50, 800)
    await server.start()
    over()
  },
}

/** What happens to one request of four. Wrong bytes are not among it: they are marked, and that outlasts the fault. */
const troubles: readonly [string, S3Fault][] = [
  ['refuses', { kind: 'refuse', status: 503, code: 'SlowDown' }],
  ['fails', { kind: 'refuse', status: 500, code: 'InternalError' }],
  ['breaks off', { kind: 'cut request', after: 1000 }],
  ['breaks answers off', { kind: 'cut answer', after: 1000 }],
  ['loses answers', { kind: 'lose answer' }],
  ['fails with 200', { kind: 'error in body' }],
]

/** Requests to the S3 server meet faults. */
export const troubledBucket: Fault = {
  name: 'troubled bucket',
  shapes: ['s3'],
  async run(stage) {
    await someMoment(stage)
    const { proxy } = bucketOf(stage)
    const [name, fault] = stage.random.pick([troubles[0]!, ...troubles.slice(1)])
    stage.report.fault(`bucket ${name}`)
    const over = stage.faultTimes.begin()
    const { random } = stage
    proxy.fault = ({ operation }) => {
      // Only there an error comes with 200.
      if (fault.kind === 'error in body' && operation !== 'CompleteMultipartUpload') return null
      return random.integer(1, 4) === 1 ? fault : null
    }
    await aWhile(stage, 200, 1000)
    proxy.reset()
    over()
  },
}

function bucketOf({ deployment }: Stage): NonNullable<Stage['deployment']['bucket']> {
  if (deployment.bucket === null) throw new Error('This shape has no bucket.')
  return deployment.bucket
}
