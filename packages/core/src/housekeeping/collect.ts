import type { CollectionStep } from '../ports/collection.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { deletePending } from './delete-pending.ts'

/** Rows of one step: a few milliseconds of the database, so that pushes in between hardly notice. */
const limit = 200

/** After a step the collector rests this many times as long as the step took, and at most this long. */
const rest = { share: 0.5, atMost: 100 }

/** What a collection did. */
export interface Collection extends Omit<CollectionStep, 'more'> {
  /** Objects that were deleted from backends. */
  objects: number
}

/** How to collect. */
export interface CollectOptions {
  /** In place of the configured time of grace. Leases are promises to clients, and hold whatever this says. */
  grace?: Milliseconds
  /** Called after each step, with everything done so far. */
  progress?: (soFar: Readonly<Collection>) => void
}

/**
 * Takes what nobody needs any more: contents of deleted repositories, deleted manifests, links, blobs, and their bytes, in
 * small steps, until none is left or the signal aborts. Safe at any moment, on any number of replicas beside pushes, and
 * when it is killed anywhere: rows go first, bytes after, and what is left is found again.
 *
 * @throws the first error of a backend that did not delete, after everything else is done; errors of the database at once.
 */
export async function collect(
  ports: Ports,
  signal?: AbortSignal,
  { grace = ports.settings.grace, progress }: CollectOptions = {},
): Promise<Collection> {
  const done: Collection = { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0, objects: 0 }
  const { metadata } = ports
  const steps = [
    () => metadata.emptyRepositories({ limit }),
    () => metadata.collectManifests({ grace, limit }),
    () => metadata.collectLinks({ grace, limit }),
    () => metadata.collectBlobs({ limit }),
  ]
  const stopped = (): boolean => signal?.aborted === true
  let fault: { error: unknown } | null = null
  for (let found = true; found && !stopped();) {
    found = false
    for (const step of steps) {
      if (stopped()) break
      const took = await timed(step)
      found = add(done, took.value) || found
      progress?.(done)
      await pause(took.duration)
    }
    if (fault !== null) continue
    try {
      done.objects += await deletePending(ports, signal)
      progress?.(done)
    } catch (error) {
      // Rows do not wait for a backend that is away; its objects do.
      fault = { error }
    }
  }
  await compact(ports, signal)
  if (fault !== null) throw fault.error
  return done
}

/** Adds up what a step did; whether that was anything, or it expects more. */
function add(done: Collection, { more, ...step }: CollectionStep): boolean {
  let found = more
  for (const key of Object.keys(step) as (keyof typeof step)[]) {
    done[key] += step[key]
    found ||= step[key] > 0
  }
  return found
}

/** Shrinks the database, a little at a time, once nothing is left that could use the space. */
async function compact({ metadata }: Ports, signal: AbortSignal | undefined): Promise<void> {
  for (let more = true; more && signal?.aborted !== true;) {
    const took = await timed(() => metadata.compact())
    more = took.value
    await pause(took.duration)
  }
}

async function timed<T>(step: () => Promise<T>): Promise<{ value: T; duration: Milliseconds }> {
  const started = performance.now()
  const value = await step()
  return { value, duration: performance.now() - started }
}

/** A breath for requests, longer where the database is slow or busy. */
function pause(duration: Milliseconds): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(rest.atMost, duration * rest.share)))
}
