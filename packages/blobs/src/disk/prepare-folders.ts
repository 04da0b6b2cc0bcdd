import { dirname, join } from 'node:path'
import type { FileLayer } from './file-layer.ts'
import { errnoOf } from './fault.ts'
import { shards } from './object-path.ts'

/** Begins the names of files with which it is tried whether a write works. */
export const probePrefix = 'probe.'

/**
 * Makes the folder and its shards, and syncs every folder that got a new name in it. The folder itself and its parent
 * are synced at every start, since an earlier one may have been killed in between; what such a one left of its probes goes.
 * A probe that somebody is at does not need its name any more.
 */
export async function prepareFolders(files: FileLayer, path: string): Promise<void> {
  const topmost = await files.makeFolder(path)
  const present = new Set<string>()
  for await (const name of files.names(path)) present.add(name)
  for (const name of present) if (name.startsWith(probePrefix)) await removeProbe(files, join(path, name))
  const missing = shards.filter((shard) => !present.has(shard))
  await Promise.all(missing.map((shard) => files.makeFolder(join(path, shard))))
  await files.syncFolder(path)
  await syncParents(files, path, topmost)
}

async function removeProbe(files: FileLayer, path: string): Promise<void> {
  try {
    await files.unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

async function syncParents(files: FileLayer, path: string, topmost: string | null): Promise<void> {
  const last = dirname(topmost ?? path)
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    try {
      await files.syncFolder(parent)
    } catch (error) {
      // A parent that we may not open is one that we did not make: its names are older than this process.
      if (topmost !== null || (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM')) throw error
    }
    if (parent === last || parent === dirname(parent)) return
  }
}
