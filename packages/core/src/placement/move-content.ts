import { RegistryError } from '@openregistry/oci'
import { deletePending } from '../housekeeping/delete-pending.ts'
import { Pace, pause } from '../housekeeping/scrub/pace.ts'
import type { LinkElsewhere, MoveTask } from '../ports/placement.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { copyBlob, SourceAway } from './copy-blob.ts'
import { eachOf } from './each-of.ts'
import { MoveProgress, MoveStopped } from './move-progress.ts'
import { releaseLayouts } from './release-layouts.ts'
import { isAllowed, placementOf } from './rules.ts'

/** Links that are looked at together. */
const batchSize = 100

/** Blobs that are copied at once: enough to hide what a remote backend takes to answer. */
const parallel = 4

/** How often it is tried to get copies out of public backends which somebody holds just then, and milliseconds in between. */
const releases = { atMost: 100, pause: 100 }

/** What a turn at a move came to. */
export interface MoveTurn {
  blobs: number
  bytes: number
  /** Blobs without good bytes anywhere. */
  unreadable: number
  /** Whether the move is over. */
  ended: boolean
}

/**
 * Brings the content of a repository to the backend that it was moved to, until nothing is left elsewhere or the time is
 * over. Nothing is given up before its copy was verified. Safe beside pushes, and when it is killed anywhere.
 *
 * @param time after which no new blob is begun, in milliseconds.
 * @throws RegistryError storage faults; the reason of the signal.
 */
export async function moveContent(
  ports: Ports,
  task: MoveTask,
  { time, signal }: { time: number; signal: AbortSignal },
): Promise<MoveTurn> {
  const { metadata } = ports
  const { repositoryId, backend } = task
  const rules = placementOf(ports)
  const done: MoveTurn = { blobs: 0, bytes: 0, unreadable: 0, ended: false }
  if (backend === null) return { ...done, ended: true }
  backendNamed(ports, backend)
  if (!isAllowed(rules, task, backend)) {
    const error = `The storage backend "${backend}" is public, and the repository is not any more.`
    done.ended = await metadata.endMove({ repositoryId, left: null, error, rules })
    return done
  }
  if (!task.counted) await metadata.countMove(repositoryId)
  try {
    await using progress = new MoveProgress(metadata, task)
    await moveAll(ports, { task, backend, progress, done, deadline: performance.now() + time }, signal)
  } catch (error) {
    if (!(error instanceof MoveStopped)) throw error
    done.ended = true
  }
  return done
}

/** Walks over what is elsewhere until a walk leaves nothing that could be moved, or the time is over. */
async function moveAll(ports: Ports, work: Work, signal: AbortSignal): Promise<void> {
  const { task, done, deadline } = work
  const { repositoryId } = task
  const rules = placementOf(ports)
  for (let before = -1; !done.ended && done.blobs > before && performance.now() < deadline;) {
    before = done.blobs
    done.unreadable = await moveLinks(ports, work, signal)
    if (performance.now() >= deadline) return
    const error = shortfall(done.unreadable, await release(ports, repositoryId, signal))
    const layouts = await releaseLayouts(ports, repositoryId, signal)
    if (layouts > 0) return await waitForPins(ports, repositoryId, layouts)
    // What came meanwhile is moved in another walk.
    done.ended = await ports.metadata.endMove({ repositoryId, left: done.unreadable, error, rules })
  }
}

/** Pins that were being made when they had to go are gone a little later: the next turn looks again. */
async function waitForPins({ metadata }: Ports, repositoryId: string, layouts: number): Promise<void> {
  const error = `${layouts} of its layouts were just being pinned in public storage; they are let go first.`
  await metadata.noteMove({ repositoryId, underWay: 0, error })
}

/** Why a move is not complete, or null. */
function shortfall(unreadable: number, exposed: number): string | null {
  const parts = [
    ...(unreadable > 0
      ? [
          `${unreadable} of its blobs have no good bytes anywhere; "openregistry scrub --repair" may mend them.`,
        ]
      : []),
    ...(exposed > 0
      ? [`${exposed} of its blobs have copies in public storage that cannot be given up yet; move it again.`]
      : []),
  ]
  return parts.length === 0 ? null : parts.join(' ')
}

interface Work {
  task: MoveTask
  backend: string
  progress: MoveProgress
  done: MoveTurn
  deadline: number
}

/**
 * One walk over all links that rely on another backend.
 * @returns how many of them cannot be moved.
 * @throws SourceAway at its end, if blobs could not be read just now.
 */
async function moveLinks(ports: Ports, work: Work, signal: AbortSignal): Promise<number> {
  const { metadata } = ports
  const { task, backend, progress, done, deadline } = work
  const { repositoryId, rate } = task
  const rules = placementOf(ports)
  const pace = new Pace(rate)
  let unreadable = 0
  let away: SourceAway | null = null
  for (let after: string | null = null, more = true; more && performance.now() < deadline;) {
    signal.throwIfAborted()
    await progress.expectWanted()
    const page = await metadata.listLinksElsewhere(repositoryId, backend, { after, limit: batchSize })
    const there = page.items.filter((link) => link.there).map(({ digest }) => digest)
    if (there.length > 0) done.blobs += await metadata.relocateLinks({ repositoryId, digests: there, rules })
    const toCopy = page.items.filter((link) => !link.there)
    await eachOf(toCopy, parallel, async (link) => {
      if (performance.now() >= deadline) return
      try {
        if ((await moveLink(ports, work, link, { pace, signal })) === 'unreadable') unreadable++
      } catch (error) {
        if (!(error instanceof SourceAway)) throw error
        away ??= error
      }
    })
    after = page.items.at(-1)?.digest ?? null
    more = page.more
  }
  if (away !== null) throw away as SourceAway
  return unreadable
}

async function moveLink(
  ports: Ports,
  { task, backend, progress, done }: Work,
  link: LinkElsewhere,
  { pace, signal }: { pace: Pace; signal: AbortSignal },
): Promise<'copied' | 'unwanted' | 'unreadable'> {
  using copying = progress.begin()
  const onBytes = async (bytes: number): Promise<void> => {
    await copying.add(bytes)
    // However slow the rate, it is asked every second whether this is still wanted.
    for (let left = bytes; left > 0; left -= pace.perSecond) {
      await pace.spend(Math.min(left, pace.perSecond), signal)
      await copying.add(0)
    }
  }
  const repository = { id: task.repositoryId, name: task.name }
  const wish = { content: link, repository, to: backend, digest: link.digest }
  const outcome = await copyBlob(ports, wish, { onBytes, signal })
  if (outcome === 'copied') {
    done.blobs++
    done.bytes += link.size
  }
  return outcome
}

/**
 * Gets copies out of public backends that were there on account of this repository alone, where it may have none.
 * @returns how many blobs still have some.
 */
async function release(ports: Ports, repositoryId: string, signal: AbortSignal): Promise<number> {
  const { metadata } = ports
  const rules = placementOf(ports)
  let exposed = 0
  for (let turn = 0; turn < releases.atMost; turn++) {
    exposed = await metadata.releaseCopies(repositoryId, rules)
    while ((await metadata.collectBlobs({ limit: batchSize, rules })).more) signal.throwIfAborted()
    if (exposed === 0) break
    await pause(releases.pause, signal)
  }
  try {
    await deletePending(ports, signal)
  } catch (error) {
    // The sweep deletes them as soon as their backend is back; no row names them any more.
    if (!(error instanceof RegistryError)) throw error
  }
  return exposed
}
