import { setTimeout as delay } from 'node:timers/promises'
import type { DatabaseServer } from '../under-test/database.ts'
import { someMoment, type Fault, type Stage } from './stage.ts'

/** Connections to the database break, a few times, while steps are under way on them. */
export const cutConnections: Fault = {
  name: 'connections cut',
  shapes: ['replicas', 'stack', 'supervisor'],
  async run(stage) {
    await someMoment(stage)
    const { random, report, faultTimes } = stage
    const server = serverOf(stage)
    const over = faultTimes.begin()
    const times = random.integer(1, 4)
    report.fault(this.name, `${times} times`)
    for (let left = times; left > 0; left--) {
      report.log(`${server.cutConnections()} connections to the database are cut`)
      await delay(random.integer(20, 300))
    }
    over()
  },
}

/** The database is away for a while: stopped in order, or crashed. */
export const databaseAway: Fault = awayFor('database away', 100, 2500)

/** The same for half a minute; too long for an ordinary seed. */
export const databaseAwayLong: Fault = awayFor('database away for 30 s', 30_000, 30_000)

function awayFor(name: string, least: number, most: number): Fault {
  return {
    name,
    shapes: ['replicas', 'stack', 'supervisor'],
    async run(stage) {
      await someMoment(stage)
      const { random, report, faultTimes } = stage
      const server = serverOf(stage)
      const how = random.pick(['fast', 'immediate'] as const)
      const milliseconds = random.integer(least, most)
      report.fault(name, `${how}, ${milliseconds} ms`)
      const over = faultTimes.begin()
      await server.stop(how)
      await delay(milliseconds)
      await server.start()
      await answersAgain(stage)
      over()
    },
  }
}

/** The registry must find its way back without anybody's help. */
export async function answersAgain({ deployment, report }: Stage): Promise<void> {
  const end = performance.now() + 15_000
  for (const replica of deployment.replicas) {
    for (;;) {
      const answer = await replica.client().send({ path: '/readyz' })
      if (answer.status === 200) break
      if (performance.now() > end)
        return report.violation(`${replica.name} is not ready again: ${answer.text()}`)
      await delay(50)
    }
  }
}

function serverOf({ deployment }: Stage): DatabaseServer {
  const { server } = deployment.database
  if (server === undefined) throw new Error('This shape has no database server.')
  return server
}
