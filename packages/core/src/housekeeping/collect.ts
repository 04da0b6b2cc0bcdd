import type { CollectionStep } from '../ports/collection.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'
import { deletePending } from './delete-pending.ts'

/** Rows of one step: a few milliseconds of the database, so that pushes in between hardly notice. */
const limit = 300

/** After a step the collector rests this many times as long as the step took, and at most this long. */
const rest = { share: 0.5, atMost: 100 }

/** A round takes this long at least, so that what pushes are left with does not depend on how fast the machine is. */
const roundAtLeast: Milliseconds = 265

/** What a collection did. */
export interface Collection extends Omit<CollectionStep, 'more'> {
  /** Objects that were deleted from backends. */
  objects: number
}

/** Why not all objects could be deleted. */
interface Fault {
  error: unknown
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
  const take = async (step: () => Promise<CollectionStep>): Promise<boolean> => {
    const { value, duration } = await timed(step)
    const found = add(done, value)
    progress?.(done)
    await pause(duration)
    return found
  }
  let deleting: Promise<Fault | null> = Promise.resolve(null)
  let fault: Fault | null = null
  // Objects go while the next rows are looked for. Rows do not wait for a backend that is away.
  const deleteBeside = async (): Promise<void> => {
    fault ??= await deleting
    deleting = deleteObjects(ports, signal, done)
  }
  try {
    await collectRows(ports, grace, signal, { take, deleteBeside })
  } finally {
    fault ??= await deleting
  }
  progress?.(done)
  await compact(ports, signal)
  if (fault !== null) throw fault.error
  return done
}

/** What {@link collectRows} works with. */
interface Work {
  /** Takes a step, and rests; whether it did something or expects more. */
  take(step: () => Promise<CollectionStep>): Promise<boolean>
  deleteBeside(): Promise<void>
}

/** Takes steps until none finds anything, or the signal aborts. */
async function collectRows(
  ports: Ports,
  grace: Milliseconds,
  signal: AbortSignal | undefined,
  { take, deleteBeside }: Work,
): Promise<void> {
  const { metadata } = ports
  const rules = placementOf(ports)
  const sources = [
    () => metadata.emptyRepositories({ limit }),
    () => metadata.collectManifests({ grace, limit }),
    () => metadata.collectLinks({ grace, limit }),
  ]
  const goesOn = (): boolean => signal?.aborted !== true
  // What a source left behind may be food for one before it, so all are asked again until none finds anything.
  for (let found = true; found && goesOn();) {
    found = false
    for (let busy = sources, more = true; more && goesOn();) {
      const startedAt = performance.now()
      const still: typeof sources = []
      for (const step of busy) if (goesOn() && (await take(step))) still.push(step)
      const blobs = goesOn() && (await take(() => metadata.collectBlobs({ limit, rules })))
      await deleteBeside()
      more = blobs || still.length > 0
      found ||= more
      busy = still
      if (more && goesOn()) await sleep(roundAtLeast - (performance.now() - startedAt))
    }
  }
}

/** Deletes what was given up; answers what kept it from deleting all of it. */
async function deleteObjects(
  ports: Ports,
  signal: AbortSignal | undefined,
  done: Collection,
): Promise<Fault | null> {
  try {
    done.objects += await deletePending(ports, signal)
    return null
  } catch (error) {
    return { error }
  }
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
  return sleep(Math.min(rest.atMost, duration * rest.share))
}

function sleep(duration: Milliseconds): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, duration)))
}
