import { Supervised } from '../under-test/supervised.ts'
import { someMoment, someReplica, type Fault, type Stage } from './stage.ts'

/** A worker, or the process of the background, is killed; the supervisor replaces it. */
export const killWorker: Fault = {
  name: 'worker killed',
  shapes: ['supervisor'],
  run: (stage) =>
    disturb(stage, 'worker killed', (registry) => registry.killWorker(stage.random.integer(0, 99))),
}

/** The supervisor is killed; its workers end by themselves, and whatever runs it starts it again. */
export const killSupervisor: Fault = {
  name: 'supervisor killed',
  shapes: ['supervisor'],
  run: (stage) =>
    disturb(stage, 'supervisor killed', async (registry) => {
      await registry.killSupervisor()
      await stage.deployment.restart(registry)
    }),
}

async function disturb(
  stage: Stage,
  name: string,
  happen: (registry: Supervised) => Promise<void>,
): Promise<void> {
  await someMoment(stage)
  const registry = someReplica(stage)
  if (!(registry instanceof Supervised)) throw new Error(`${name} needs a supervisor.`)
  stage.report.fault(name)
  const over = stage.faultTimes.begin()
  try {
    await happen(registry)
  } finally {
    over()
  }
}
