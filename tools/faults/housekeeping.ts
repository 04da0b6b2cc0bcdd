import type { Stage } from './faults/index.ts'
import { tick } from './model/tick.ts'
import type { Report } from './report.ts'
import type { Deployment } from './under-test/deployment.ts'

/** Sweeps on any replica while clients work, as the background does it, only more often. */
export async function housekeep({ deployment, random, report, faultTimes, progress }: Stage): Promise<void> {
  for (let part = 1; part <= 4; part++) {
    await progress.after(Math.floor((progress.total * part) / 5))
    const up = deployment.replicas.filter(({ isUp }) => isUp)
    const replica = up[random.integer(0, Math.max(0, up.length - 1))]
    const from = tick()
    await replica?.ask({ ask: 'housekeeping' }).catch((error: unknown) => {
      if (!faultTimes.overlap({ from, until: tick() }))
        report.violation(`housekeeping failed: ${String(error)}`)
    })
  }
}

/** Lets every upload run out of time, then sweeps until there is nothing left to do. */
export async function letTimePass(deployment: Deployment, report: Report): Promise<void> {
  await deployment.stop()
  await deployment.database.rows('UPDATE uploads SET expires_at = 0')
  await deployment.start()
  const [replica] = deployment.replicas
  for (let left = 200; left > 0; left--) {
    const swept = (await replica?.ask({ ask: 'housekeeping' })) as { uploads: number; objects: number }
    if (swept.uploads + swept.objects === 0) return
  }
  report.violation('housekeeping never comes to an end')
}
