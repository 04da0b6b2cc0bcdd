import type { PendingDelete } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'

/** Objects whose deletions are written off together. */
const batch = 400

/** Deletions under way at once: enough to hide the latency of a backend, few enough to leave it to others. */
const parallel = 16

/** After so many faults of a backend in a row it is asked whether it is there at all. */
const patience = 100

/** What kept objects from being deleted. Of very many faults one is enough to tell. */
class Faults {
  #first: { error: unknown } | null = null
  readonly #inARow = new Map<string, number>()
  /** Backends that are away: their objects wait for the next call, without being asked for one by one. */
  readonly #away = new Set<string>()

  isAway(backend: string): boolean {
    return this.#away.has(backend)
  }

  succeeded(backend: string): void {
    this.#inARow.delete(backend)
  }

  async failed(ports: Ports, backend: string, error: unknown): Promise<void> {
    this.#first ??= { error }
    const inARow = (this.#inARow.get(backend) ?? 0) + 1
    this.#inARow.set(backend, inARow % patience)
    if (inARow < patience) return
    try {
      await backendNamed(ports, backend).check()
    } catch {
      // What is wrong was said by the objects themselves.
      this.#away.add(backend)
    }
  }

  throwFirst(): void {
    if (this.#first !== null) throw this.#first.error
  }
}

/**
 * Deletes the bytes that no row names, until none is left. An object that cannot be deleted stands in nobody's way: it is
 * tried again by the next call. Neither do those of a backend that is away.
 *
 * @returns how many objects were deleted.
 * @throws the first error of a backend, once everything else is done.
 */
export async function deletePending(ports: Ports, signal?: AbortSignal): Promise<number> {
  const faults = new Faults()
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
  faults.throwFirst()
  return deleted
}

/** Deletes these objects and answers which are gone. A key is never used twice, so that deleting one again hurts nobody. */
async function deleteAll(
  ports: Ports,
  pending: readonly PendingDelete[],
  faults: Faults,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const gone: number[] = []
  const queue = pending.values()
  const worker = async (): Promise<void> => {
    // One iterator for all workers: each takes what is next.
    for (const { id, backend, key } of queue) {
      if (signal?.aborted === true) return
      if (faults.isAway(backend)) continue
      try {
        await backendNamed(ports, backend).delete(key)
        gone.push(id)
        faults.succeeded(backend)
      } catch (error) {
        await faults.failed(ports, backend, error)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return gone
}
