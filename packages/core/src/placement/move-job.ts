import { RegistryError } from '@openregistry/oci'
import type { JobKind } from '../jobs/job-kind.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { MoveTask } from '../ports/placement.ts'
import type { Ports } from '../settings.ts'
import { moveContent, type MoveTurn } from './move-content.ts'
import { moveJobName } from './rules.ts'

/**
 * A run begins no new blob after this time, and asks for the next one. So a move of any length is never given up for the
 * number of processes that were killed on the way.
 */
const runTime: Milliseconds = 300_000

/** After a run that found nothing it could move, the next one waits so long. */
const idleTime: Milliseconds = 10_000

/** Brings the content of repositories to the backends that they were moved to. The payload is the id of the repository. */
export function moveJob(ports: Ports): JobKind {
  return {
    name: moveJobName,
    event: 'repository_move',
    period: null,
    attempts: 20,
    async run({ payload: repositoryId, signal }) {
      const task = await ports.metadata.findMoveTask(repositoryId)
      if (task === null) return null
      const turn = await taken(ports, task, signal)
      if (!turn.ended) {
        const delay = turn.blobs > 0 ? 0 : idleTime
        const again = { kind: moveJobName, key: repositoryId, payload: repositoryId, delay }
        await ports.metadata.enqueueJob(again)
      }
      const { name: repository, backend } = task
      const { blobs, bytes: size, unreadable } = turn
      return { repository, backend: backend ?? '', blobs, size, unreadable, ended: String(turn.ended) }
    },
  }
}

/** Notes what went wrong, for whoever watches the move. */
async function taken(ports: Ports, task: MoveTask, signal: AbortSignal): Promise<MoveTurn> {
  try {
    return await moveContent(ports, task, { time: runTime, signal })
  } catch (error) {
    if (!signal.aborted) {
      const message =
        error instanceof RegistryError ? error.message : 'The move failed; the log has the cause.'
      await ports.metadata.noteMove({ repositoryId: task.repositoryId, underWay: 0, error: message })
    }
    throw error
  }
}
