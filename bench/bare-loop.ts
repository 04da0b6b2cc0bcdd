import { createHash, hash } from 'node:crypto'
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pieceSize, prepareBlob } from './content.ts'
import { messageOf, passSample } from './measured-process.ts'
import type { Sample } from './rows/row.ts'

/** Where the time of the loop goes, in seconds. */
export interface LoopTimes {
  total: number
  /** SHA-256 of the whole, and of every piece of 1 MiB. */
  hashing: number
  writing: number
  syncing: number
  /** CPU of the process, the kernel's part included. */
  cpu: number
}

/**
 * The work of a push without network, database and registry: one thread takes pieces of 1 MiB, hashes each twice,
 * writes it, and syncs the file and its folder at the end.
 *
 * @param size in bytes
 * @param folder on the disk that is measured
 */
export function hashWriteSync(size: number, folder: string): LoopTimes {
  const pieces = Array.from(prepareBlob(0, Math.min(size, 64 * pieceSize)).pieces(), (buffers) =>
    Buffer.concat(buffers),
  )
  const file = openSync(join(folder, 'blob'), 'wx')
  const times = { hashing: 0, writing: 0, syncing: 0 }
  const cpu = process.cpuUsage()
  const start = performance.now()
  let last = start
  const lap = (part: 'hashing' | 'writing' | 'syncing'): void => {
    const now = performance.now()
    times[part] += (now - last) / 1000
    last = now
  }
  const whole = createHash('sha256')
  for (let left = size, index = 0; left > 0; left -= pieceSize, index++) {
    const piece = (pieces[index % pieces.length] as Buffer).subarray(0, left)
    whole.update(piece)
    hash('sha256', piece, 'buffer')
    lap('hashing')
    writeSync(file, piece)
    lap('writing')
  }
  whole.digest()
  lap('hashing')
  fdatasyncSync(file)
  closeSync(file)
  const parent = openSync(folder, 'r')
  fsyncSync(parent)
  closeSync(parent)
  lap('syncing')
  const { user, system } = process.cpuUsage(cpu)
  return { ...times, total: (last - start) / 1000, cpu: (user + system) / 1e6 }
}

/** Runs {@link hashWriteSync} in a process of its own and deletes what it wrote. */
export async function loopInProcess(size: number, parent: string): Promise<LoopTimes> {
  const folder = await mkdtemp(join(parent, 'bare-loop-'))
  try {
    const program = new URL('bare-loop-process.ts', import.meta.url)
    return await messageOf<LoopTimes>(program, [String(size), folder])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** {@link loopInProcess} as a turn of the bench. */
export async function bareLoop(size: number, parent: string): Promise<Sample> {
  return passSample(size, await loopInProcess(size, parent))
}
