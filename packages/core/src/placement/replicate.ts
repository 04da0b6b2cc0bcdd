import type { Milliseconds } from '../ports/metadata-store.ts'
import type { UncopiedBlob } from '../ports/placement.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { copyBlob, SourceAway } from './copy-blob.ts'
import { eachOf } from './each-of.ts'
import { placementOf } from './rules.ts'

/** Blobs that are looked at together. */
const batchSize = 100

/** Blobs that are copied at once. */
const parallel = 4

/** All blobs are looked at once in this time, whatever was noted about them: some may have copies now that might not before. */
const passEvery: Milliseconds = 24 * 3600_000

/** What making second copies has come to. */
export interface Replicated {
  blobs: number
  bytes: number
  /** Blobs without good bytes that could be read; the next pass tries again. */
  unreadable: number
}

/**
 * Makes second copies of blobs in every backend that is to have them, where they may lie there. Each is verified before any
 * row names it. Safe beside everything else, and when it is killed anywhere.
 * @throws the first fault of a backend that does not take copies, once the others have theirs; the reason of the signal.
 */
export async function replicate(ports: Ports, signal: AbortSignal): Promise<Replicated> {
  const done: Replicated = { blobs: 0, bytes: 0, unreadable: 0 }
  const faults: unknown[] = []
  for (const backend of placementOf(ports).replicas) {
    try {
      while (!(await walk(ports, backend, done, signal)));
    } catch (error) {
      signal.throwIfAborted()
      faults.push(error)
    }
  }
  if (faults.length > 0) throw faults[0]
  return done
}

/** Goes on to the last blob. False when a new pass was begun meanwhile. */
async function walk(ports: Ports, backend: string, done: Replicated, signal: AbortSignal): Promise<boolean> {
  const { metadata } = ports
  const open = backendNamed(ports, backend).public
  const pass = await metadata.beginReplication({ backend, interval: passEvery })
  for (let after = pass.position, more = true; more;) {
    signal.throwIfAborted()
    const page = await metadata.listUncopied({ backend, open, after, limit: batchSize })
    await eachOf(page.items, parallel, async (blob) => {
      signal.throwIfAborted()
      await copy(ports, blob, backend, done, signal)
    })
    ;({ position: after, more } = page)
    if (!(await metadata.noteReplication({ ...pass, backend, position: after }))) return false
  }
  return true
}

async function copy(
  ports: Ports,
  { repository, ...content }: UncopiedBlob,
  backend: string,
  done: Replicated,
  signal: AbortSignal,
): Promise<void> {
  try {
    const outcome = await copyBlob(ports, { content, repository, to: backend, digest: null }, { signal })
    if (outcome === 'copied') {
      done.blobs++
      done.bytes += content.size
    } else if (outcome === 'unreadable') done.unreadable++
  } catch (error) {
    // Others may lie where they can be read.
    if (!(error instanceof SourceAway)) throw error
    done.unreadable++
  }
}
