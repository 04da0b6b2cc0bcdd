import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '@openregistry/testkit'
import type { FaultTimes } from '../fault-times.ts'
import type { Report } from '../report.ts'
import type { Deployment, Shape } from '../under-test/deployment.ts'
import type { RegistryProcess } from '../under-test/registry-process.ts'
import type { Progress } from '../progress.ts'

/** What a fault has to do with. */
export interface Stage {
  deployment: Deployment
  random: Random
  report: Report
  faultTimes: FaultTimes
  /** How far the clients are in this round. */
  progress: Progress
}

/** Something that goes wrong while clients work. When `run` resolves, it is over and the registry runs again. */
export interface Fault {
  name: string
  shapes: readonly Shape[]
  /** Whether it can happen on this machine. */
  isPossible?: (deployment: Deployment) => boolean
  /** Whether what is stored is read wrongly meanwhile. */
  spoilsReads?: boolean
  run(stage: Stage): Promise<void>
}

/** One of the replicas. */
export function someReplica({ deployment, random }: Stage): RegistryProcess {
  const { replicas } = deployment
  const [first] = replicas
  if (first === undefined) throw new Error('There is no replica.')
  return replicas[random.integer(0, replicas.length - 1)] ?? first
}

/** Waits for a moment in the clients' work that the seed chooses. */
export async function someMoment({ progress, random }: Stage): Promise<void> {
  await progress.after(random.integer(1, Math.max(1, Math.floor(progress.total * 0.8))))
}

/** Waits a time that the seed chooses, in milliseconds, but not longer than the clients work. */
export async function aWhile({ progress, random }: Stage, least: number, most: number): Promise<void> {
  await Promise.race([delay(random.integer(least, most)), progress.finished])
}
