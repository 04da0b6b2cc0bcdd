import type { Volume } from '@openregistry/testkit'
import { answersAgain } from './database.ts'
import { aWhile, someMoment, type Fault, type Stage } from './stage.ts'

/** What is left of a disk that is full, in bytes. */
const rests = [0, 4096, 100_000, 1_000_000] as const

/** The file system of the blobs has no space. */
export const fullBlobs: Fault = {
  name: 'blobs full',
  shapes: ['embedded', 'replicas', 'supervisor'],
  isPossible: ({ volumes }) => volumes.blobs.isOwn,
  run: (stage) => fill(stage, 'blobs full', stage.deployment.volumes.blobs),
}

/**
 * The file system of the database has no space. PostgreSQL refuses what needs some, and crashes when its log does, in one of
 * three cases here.
 */
export const fullDatabase: Fault = {
  name: 'database full',
  shapes: ['embedded', 'kubo', 'cluster', 'replicas', 'stack', 'supervisor'],
  isPossible: ({ database }) => database.disk?.isOwn === true,
  async run(stage) {
    const { disk, server } = stage.deployment.database
    if (disk === null) throw new Error('This database has no disk of its own.')
    const crashes = server !== undefined && stage.random.integer(1, 3) === 1
    await fill(stage, 'database full', disk, {
      ...(crashes ? { meanwhile: () => server.exhaustLog() } : {}),
      async after() {
        if (server === undefined) return
        await server.recover()
        await answersAgain(stage)
      },
    })
  },
}

/** @param more what happens on the full disk, and what is to be done when there is space again. */
async function fill(
  stage: Stage,
  name: string,
  volume: Volume,
  { meanwhile, after }: { meanwhile?: () => Promise<void>; after?: () => Promise<void> } = {},
): Promise<void> {
  await someMoment(stage)
  const { random, report, faultTimes } = stage
  const over = faultTimes.begin()
  const left = random.pick(rests)
  report.fault(name, `${left} bytes left${meanwhile === undefined ? '' : ', until the server crashes'}`)
  await volume.fill(left)
  await meanwhile?.()
  await aWhile(stage, 150, 900)
  await volume.empty()
  await after?.()
  over()
}
