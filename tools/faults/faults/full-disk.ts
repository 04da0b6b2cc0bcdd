import type { Volume } from '../under-test/volume.ts'
import { aWhile, someMoment, type Fault, type Stage } from './stage.ts'

/** The file system of the blobs has no space. */
export const fullBlobs: Fault = {
  name: 'blobs full',
  shapes: ['embedded', 'replicas', 'supervisor'],
  isPossible: ({ volumes }) => volumes.blobs.isOwn,
  run: (stage) => fill(stage, 'blobs full', stage.deployment.volumes.blobs),
}

/** The file system of the embedded database has no space. */
export const fullDatabase: Fault = {
  name: 'database full',
  shapes: ['embedded'],
  isPossible: ({ volumes }) => volumes.data.isOwn,
  run: (stage) => fill(stage, 'database full', stage.deployment.volumes.data),
}

async function fill(stage: Stage, name: string, volume: Volume): Promise<void> {
  await someMoment(stage)
  const { random, report, faultTimes } = stage
  const over = faultTimes.begin()
  const left = random.pick([0, 4096, 100_000, 1_000_000])
  report.fault(name, `${left} bytes left`)
  await volume.fill(left)
  await aWhile(stage, 150, 900)
  await volume.empty()
  over()
}
