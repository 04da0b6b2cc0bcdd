// The client of the bench: a process of its own, so that its work is never billed to a registry nor to the harness.
import { prepareGet } from './jobs/get.ts'
import { prepareImages } from './jobs/images.ts'
import type { FromClient, Job, ReadyJob, ToClient } from './jobs/job.ts'
import { prepareImportCar } from './jobs/import-car.ts'
import { prepareMixed } from './jobs/mixed.ts'
import { prepareNewestCid } from './jobs/newest-cid.ts'
import { preparePull } from './jobs/pull.ts'
import { preparePush } from './jobs/push.ts'
import { prepareRequests } from './jobs/requests.ts'
import { prepareSteady } from './jobs/steady.ts'

function prepare(port: number, job: Job): ReadyJob {
  switch (job.kind) {
    case 'push':
      return preparePush(port, job)
    case 'pull':
      return preparePull(port, job)
    case 'get':
      return prepareGet(port, job)
    case 'images':
      return prepareImages(port, job)
    case 'import-car':
      return prepareImportCar(port, job)
    case 'newest-cid':
      return prepareNewestCid(port, job)
    case 'mixed':
      return prepareMixed(port, job)
    case 'requests':
      return prepareRequests(port, job)
    case 'steady':
      return prepareSteady(port, job)
  }
}

/** The last word of this process; a harness that is gone does not hear it. */
function tellAndLeave(message: FromClient): void {
  process.send?.(message, () => process.disconnect?.())
}

let ready: ReadyJob | null = null

async function handle(message: ToClient): Promise<void> {
  if (message.kind === 'prepare') {
    ready = prepare(message.port, message.job)
    process.send?.({ kind: 'ready' } satisfies FromClient)
  } else if (ready) {
    tellAndLeave({ kind: 'done', result: await ready() })
  }
}

process.on('message', (message: ToClient) => {
  handle(message).catch((error: unknown) => {
    tellAndLeave({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
  })
})

// An interrupted bench leaves no client behind that goes on pushing.
process.on('disconnect', () => process.exit())
