import { setTimeout as delay } from 'node:timers/promises'
import type { Fault, Stage } from './faults/index.ts'
import { tick } from './model/tick.ts'
import type { Report } from './report.ts'
import { Replica } from './under-test/replica.ts'
import type { Deployment } from './under-test/deployment.ts'
import type { Chore } from './under-test/messages.ts'

/** Sweeps, collects and scrubs on any replica while clients work, as the background does it, only more often. */
export async function housekeep(stage: Stage, faults: readonly Fault[]): Promise<void> {
  const { random, progress } = stage
  // What scrub reads wrongly it would rightly take for damaged.
  const chores: readonly [Chore, ...Chore[]] = faults.some(({ spoilsReads }) => spoilsReads === true)
    ? ['sweep', 'collect']
    : ['sweep', 'collect', 'collect', 'scrub']
  for (let part = 1; part <= 4; part++) {
    await progress.after(Math.floor((progress.total * part) / 5))
    await someDo(stage, random.pick(chores))
  }
}

/**
 * Two who collect without a rest as long as clients work, on any replica: so that they meet each other, and what is about
 * to be taken meets whoever asks for it.
 */
export async function collectAllTheTime(stage: Stage): Promise<void> {
  let isOver = false
  void stage.progress.finished.then(() => (isOver = true))
  const collector = async (): Promise<void> => {
    while (!isOver && !stage.report.failed) if (!(await someDo(stage, 'collect at once'))) await delay(20)
  }
  await Promise.all([collector(), collector()])
}

/** Has one of the replicas do a chore, or the process beside them where they take no questions. @returns whether it did. */
async function someDo({ deployment, random, report, faultTimes }: Stage, chore: Chore): Promise<boolean> {
  const asked = deployment.replicas.filter((replica) => replica instanceof Replica)
  const up = asked.length > 0 ? asked.filter(({ isUp }) => isUp) : [await deployment.janitor()]
  const replica = up[random.integer(0, Math.max(0, up.length - 1))]
  const from = tick()
  try {
    const did = await replica?.ask({ ask: 'housekeeping', chore })
    report.log(`${replica?.name ?? 'nobody'} ${chore}: ${JSON.stringify(did)}`)
    return replica !== undefined
  } catch (error) {
    if (!faultTimes.overlap({ from, until: tick() })) report.violation(`${chore} failed: ${String(error)}`)
    return false
  }
}

/** Lets every upload run out of time, then does what the background does until there is nothing left to do. */
export async function letTimePass(deployment: Deployment, report: Report): Promise<void> {
  await deployment.database.run('UPDATE uploads SET expires_at = 0')
  const janitor = await deployment.janitor()
  for (let left = 200; left > 0; left--) {
    const swept = (await janitor.ask({ ask: 'housekeeping', chore: 'sweep' })) as Record<string, number>
    if (Object.values(swept).some((count) => count > 0)) continue
    await janitor.ask({ ask: 'housekeeping', chore: 'collect' })
    return
  }
  report.violation('housekeeping never comes to an end')
}
