import { createHash } from 'node:crypto'
import { createContentHasher } from '@openregistry/blobs'
import type { ContentHasher } from '@openregistry/core'
import { pieceSize, prepareBlob } from './content.ts'
import { messageOf, passSample } from './measured-process.ts'
import type { Sample } from './rows/row.ts'

/** SHA-256 of the whole alone, or with all that the CID needs, as a push does it. */
export type HashedFor = 'sha256' | 'cid'

/** Seconds of the clock, and of CPU on all threads. */
interface HashTimes {
  total: number
  cpu: number
}

/** Pieces that are hashed at a time while others arrive; as many as an upload has. */
const piecesInFlight = 4

/** The pieces of so many bytes, from few that repeat. */
function* piecesOf(size: number, pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  for (let left = size, index = 0; left > 0; left -= pieceSize, index++) {
    yield (pieces[index % pieces.length] as Uint8Array).subarray(0, left)
  }
}

function hashAlone(pieces: Iterable<Uint8Array>): void {
  const whole = createHash('sha256')
  for (const piece of pieces) whole.update(piece)
  whole.digest()
}

async function hashAsPushed(hasher: ContentHasher, pieces: Iterable<Uint8Array>): Promise<void> {
  using run = hasher.begin({ sha512: false })
  const hashing: Promise<void>[] = []
  for (const piece of pieces) {
    if (hashing.length === piecesInFlight) await hashing.shift()
    hashing.push(run.update(piece))
  }
  await Promise.all(hashing)
  await run.finish()
}

/** Hashes so many bytes that are in memory already. Threads are there before the clock starts, as in a server. */
export async function hashContent(size: number, kind: HashedFor): Promise<HashTimes> {
  await using hasher = createContentHasher()
  const made = prepareBlob(0, Math.min(size, 16 * pieceSize)).pieces()
  const pieces = Array.from(made, (buffers) => {
    const content = Buffer.concat(buffers)
    const memory = hasher.acquire()
    memory.set(content)
    return memory
  })
  await hashAsPushed(hasher, pieces)
  const cpu = process.cpuUsage()
  const start = performance.now()
  if (kind === 'cid') await hashAsPushed(hasher, piecesOf(size, pieces))
  else hashAlone(piecesOf(size, pieces))
  const { user, system } = process.cpuUsage(cpu)
  return { total: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

/** {@link hashContent} in a process of its own, as a turn of the bench. */
export async function hashInProcess(size: number, kind: HashedFor): Promise<Sample> {
  const program = new URL('hash-content-process.ts', import.meta.url)
  return passSample(size, await messageOf<HashTimes>(program, [String(size), kind]))
}
