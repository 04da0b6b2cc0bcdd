import { appendFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { FileLayer, LayerFile } from '@openregistry/blobs'

/** One event in the life of the blob folder, in the order in which they happened, over all processes. */
export type JournalEntry =
  | { event: 'create'; path: string }
  /** The first `size` bytes are on the disk. */
  | { event: 'datasync'; path: string; size: number }
  | { event: 'sync-begins' | 'sync-ends'; folder: string; id: string }
  /** The name is gone; the file lies at `kept`, for the case that the name comes back. */
  | { event: 'unlink'; path: string; kept: string }

/**
 * The operating system's files, with a journal of what was made and what was synced. Processes that are killed lose
 * nothing that way; when the power is cut, `cutPower` takes away what the journal does not show as synced.
 *
 * The testkit's recording layer does the same in memory and tries every moment; this one is for real processes.
 */
export function journalledFiles(files: FileLayer, journal: string, graveyard: string): FileLayer {
  const note = (entry: JournalEntry): void => appendFileSync(journal, `${JSON.stringify(entry)}\n`)
  return {
    open: (path) => files.open(path),
    size: (path) => files.size(path),
    makeFolder: (path) => files.makeFolder(path),
    names: (path) => files.names(path),
    async create(path) {
      const file = await files.create(path)
      note({ event: 'create', path })
      return journalledFile(file, (size) => note({ event: 'datasync', path, size }))
    },
    async unlink(path) {
      const kept = join(graveyard, randomUUID())
      await rename(path, kept)
      note({ event: 'unlink', path, kept })
    },
    async syncFolder(folder) {
      const id = randomUUID()
      note({ event: 'sync-begins', folder, id })
      await files.syncFolder(folder)
      note({ event: 'sync-ends', folder, id })
    },
  }
}

/** Files here are written from front to back, so their synced bytes are a length. */
function journalledFile(file: LayerFile, synced: (size: number) => void): LayerFile {
  let written = 0
  return {
    size: () => file.size(),
    read: (into, length, position) => file.read(into, length, position),
    close: () => file.close(),
    async write(bytes, position) {
      const count = await file.write(bytes, position)
      written = Math.max(written, position + count)
      return count
    },
    async datasync() {
      const size = written
      await file.datasync()
      synced(size)
    },
  }
}

/** The folder that a path lies in, as `syncFolder` names it. */
export function folderOf(path: string): string {
  return dirname(path)
}
