import { readFile, rename, stat, truncate, unlink, writeFile } from 'node:fs/promises'
import type { Random } from '@openregistry/testkit'
import { folderOf, type JournalEntry } from './journalled-files.ts'

/** What the journal says of one file. */
interface Traces {
  /** Where in the journal its name came, and went. */
  created: number | null
  unlinked: number | null
  kept: string | null
  /** Bytes that are on the disk. */
  synced: number
}

/**
 * Makes the blob folder what it is after a power cut: names that no sync of their folder covered are gone, bytes that no
 * sync of the file covered are gone, and a deletion that was not synced may have come back. All processes are dead now.
 *
 * @returns how many files changed.
 */
export async function cutPower(journal: string, random: Random): Promise<number> {
  const text = await readFile(journal, 'utf8').catch(() => '')
  const entries = text.split('\n').filter((line) => line.endsWith('}'))
  const changed = await applyCut(
    entries.map((line) => JSON.parse(line) as JournalEntry),
    random,
  )
  // What is there now has survived, so nothing has to be remembered of it.
  await writeFile(journal, '')
  return changed
}

async function applyCut(entries: readonly JournalEntry[], random: Random): Promise<number> {
  const syncs = completedSyncs(entries)
  const isSynced = (path: string, place: number): boolean => (syncs.get(folderOf(path)) ?? -1) > place
  let changed = 0
  for (const [path, { created, unlinked, kept, synced }] of tracesOf(entries)) {
    if (unlinked !== null && kept !== null) {
      // Files that come back are whole ones: nobody deletes what is being written, but for a failed write.
      const mayReturn = !isSynced(path, unlinked) && (created === null || isSynced(path, created))
      if (!mayReturn || random.integer(0, 1) === 0) continue
      await rename(kept, path)
      if (created !== null) await truncate(path, synced)
      changed++
    } else if (created !== null) {
      changed += await loseUnsynced(path, isSynced(path, created), synced)
    }
  }
  return changed
}

async function loseUnsynced(path: string, nameIsSynced: boolean, synced: number): Promise<number> {
  const found = await stat(path).catch(() => null)
  if (found === null) return 0
  if (!nameIsSynced) {
    await unlink(path)
    return 1
  }
  if (found.size <= synced) return 0
  await truncate(path, synced)
  return 1
}

/** For each folder, where the last of its finished syncs began. */
function completedSyncs(entries: readonly JournalEntry[]): Map<string, number> {
  const begun = new Map<string, number>()
  const last = new Map<string, number>()
  for (const [place, entry] of entries.entries()) {
    if (entry.event === 'sync-begins') begun.set(entry.id, place)
    if (entry.event !== 'sync-ends') continue
    last.set(entry.folder, Math.max(last.get(entry.folder) ?? -1, begun.get(entry.id) ?? -1))
  }
  return last
}

function tracesOf(entries: readonly JournalEntry[]): Map<string, Traces> {
  const traces = new Map<string, Traces>()
  const of = (path: string): Traces => {
    const found = traces.get(path) ?? { created: null, unlinked: null, kept: null, synced: 0 }
    traces.set(path, found)
    return found
  }
  for (const [place, entry] of entries.entries()) {
    if (entry.event === 'create') of(entry.path).created = place
    if (entry.event === 'datasync') of(entry.path).synced = Math.max(of(entry.path).synced, entry.size)
    if (entry.event === 'unlink') Object.assign(of(entry.path), { unlinked: place, kept: entry.kept })
  }
  return traces
}
