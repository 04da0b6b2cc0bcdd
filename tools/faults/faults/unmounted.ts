import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { aWhile, someMoment, type Fault } from './stage.ts'

/** The disk with the blobs is not mounted; where it was there is an empty folder, with or without shards of an old start. */
export const unmountedBlobs: Fault = {
  name: 'blobs not mounted',
  shapes: ['embedded', 'replicas', 'supervisor'],
  async run(stage) {
    await someMoment(stage)
    const { deployment, random, report, faultTimes } = stage
    const { blobFolder } = deployment
    const away = `${blobFolder}.away`
    const withShards = random.integer(0, 2) > 0
    report.fault(this.name, withShards ? 'shards in its place' : 'an empty folder in its place')
    const over = faultTimes.begin()
    const bare = `${blobFolder}.bare`
    await mkdir(bare)
    if (withShards)
      for (const name of await readdir(blobFolder)) if (name.length === 2) await mkdir(join(bare, name))
    await rename(blobFolder, away)
    await rename(bare, blobFolder)
    await aWhile(stage, 100, 700)
    await rename(blobFolder, bare)
    await rename(away, blobFolder)
    over()
    await rm(bare, { recursive: true })
  },
}
