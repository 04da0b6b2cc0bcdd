import type { PendingDelete } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'

/** Objects whose deletions are written off together. */
const batch = 200

/** Deletions under way at once: enough to hide the latency of a backend, few enough to leave it to others. */
const parallel = 8

/**
 * Deletes the bytes that no row names, until none is left. An object that cannot be deleted stands in nobody's way: it is
 * tried again by the next call.
 *
 * @returns how many objects were deleted.
 * @throws the first error of a backend, once everything else is done.
 */
export async function deletePending(ports: Ports, signal?: AbortSignal): Promise<number> {
  const faults: unknown[] = []
  let deleted = 0
  let after = 0
  while (signal?.aborted !== true) {
    const pending = await ports.metadata.listPendingDeletes(batch, after)
    const gone = await deleteAll(ports, pending, faults, signal)
    if (gone.length > 0) await ports.metadata.forgetPendingDeletes(gone)
    deleted += gone.length
    after = pending.at(-1)?.id ?? after
    if (pending.length < batch) break
  }
  if (faults.length > 0) throw faults[0]
  return deleted
}

/** Deletes these objects and answers which are gone. A key is never used twice, so that deleting one again hurts nobody. */
async function deleteAll(
  ports: Ports,
  pending: readonly PendingDelete[],
  faults: unknown[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const gone: number[] = []
  const queue = pending.values()
  const worker = async (): Promise<void> => {
    // One iterator for all workers: each takes what is next.
    for (const { id, backend, key } of queue) {
      if (signal?.aborted === true) return
      try {
        await backendNamed(ports, backend).delete(key)
        gone.push(id)
      } catch (error) {
        faults.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return gone
}
