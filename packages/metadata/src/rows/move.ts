import { moveJobName } from '@openregistry/core/placement'
import type { Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'
import { enqueueJob } from '../steps/enqueue-job.ts'

/** Asks for the job that brings the content of this repository to the backend that it was moved to. */
export function* askForMove(sql: Sql, repositoryId: string): Step<void> {
  yield* enqueueJob(sql, { kind: moveJobName, key: repositoryId, payload: repositoryId, delay: 0 })
}
