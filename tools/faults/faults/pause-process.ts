import { Replica } from '../under-test/replica.ts'
import { someMoment, someReplica, type Fault, type Stage } from './stage.ts'

/** A process stands still, wherever it is: in the middle of a step others wait for its rows, and nobody gets an error. */
export const pauseProcess: Fault = {
  name: 'process paused',
  shapes: ['replicas', 'stack'],
  run: (stage) => pause(stage, 'process paused', stage.random.integer(100, 2500)),
}

/**
 * The same for longer than the database waits for anybody in the middle of a transaction: it undoes that, and others go on. Too
 * long for an ordinary seed.
 */
export const pauseProcessLong: Fault = {
  name: 'process paused for 20 s',
  shapes: ['replicas', 'stack'],
  async run(stage) {
    const over = stage.faultTimes.begin()
    await pause(stage, 'process paused for 20 s', 20_000)
    over()
  },
}

async function pause(stage: Stage, name: string, milliseconds: number): Promise<void> {
  await someMoment(stage)
  const replica = someReplica(stage)
  if (!(replica instanceof Replica)) throw new Error(`${name} needs a replica.`)
  stage.report.fault(name, `${replica.name}, ${milliseconds} ms`)
  await replica.pause(milliseconds)
}
