import type { ClientResult } from '../in-parallel.ts'
import type { GetJob } from './get.ts'
import type { ImagesJob } from './images.ts'
import type { ImportCarJob } from './import-car.ts'
import type { MixedJob } from './mixed.ts'
import type { NewestCidJob } from './newest-cid.ts'
import type { PullJob } from './pull.ts'
import type { PushJob } from './push.ts'
import type { RequestsJob } from './requests.ts'
import type { SteadyJob } from './steady.ts'

/** Everything the client process can be asked to do. */
export type Job =
  PushJob | PullJob | GetJob | ImagesJob | ImportCarJob | MixedJob | NewestCidJob | RequestsJob | SteadyJob

/** Does the work that was prepared; the clock runs from here. */
export type ReadyJob = () => Promise<ClientResult>

/** From the harness: what to prepare, then the start. */
export type ToClient = { kind: 'prepare'; port: number; job: Job } | { kind: 'start' }

/** From the client: prepared, then the result, or what went wrong. */
export type FromClient =
  { kind: 'ready' } | { kind: 'done'; result: ClientResult } | { kind: 'failed'; reason: string }
