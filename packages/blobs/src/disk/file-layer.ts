import { mkdir, open, opendir, stat, type FileHandle } from 'node:fs/promises'
import { constants } from 'node:fs'
import { NewFile, directWrites } from './new-file.ts'
import { Remover } from './removal/remover.ts'

/** An open file. The caller waits for what it asked for before it closes. */
export interface LayerFile {
  /** Size in bytes now. */
  size(): Promise<number>
  /** Reads up to `length` bytes from `position` into the beginning of `into`; answers how many. 0 is the end. */
  read(into: Uint8Array, length: number, position: number): Promise<number>
  /** Writes at `position`; answers how many bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** Everything written before the call is on the disk when this resolves. */
  datasync(): Promise<void>
  close(): Promise<void>
}

/**
 * The file operations of the disk driver, all of them: tests put a layer beneath it that forgets what was not synced.
 * Errors are those of Node, with an errno `code`.
 */
export interface FileLayer {
  /** Opens a new file for writing. @throws `EEXIST` */
  create(path: string): Promise<LayerFile>
  /** Opens a file for reading. @throws `ENOENT` */
  open(path: string): Promise<LayerFile>
  /** Size in bytes. @throws `ENOENT` */
  size(path: string): Promise<number>
  /** Removes a file's name. @throws `ENOENT` */
  unlink(path: string): Promise<void>
  /** Creates a folder with its parents; answers the topmost one that was missing, or null when all were there. */
  makeFolder(path: string): Promise<string | null>
  /** The names that were in the folder before the call are on the disk when this resolves. */
  syncFolder(path: string): Promise<void>
  /** The names in a folder, in no order, read in small batches. */
  names(path: string): AsyncIterable<string>
}

class StoredFile implements LayerFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(into: Uint8Array, length: number, position: number): Promise<number> {
    return (await this.#handle.read(into, 0, length, position)).bytesRead
  }

  write(): Promise<number> {
    return Promise.reject(new Error('A stored file is never written again.'))
  }

  datasync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/**
 * The operating system's files.
 * @param direct whether large writes may go around the page cache, where the file system takes that.
 */
export function createNodeFiles({ direct = true }: { direct?: boolean } = {}): FileLayer {
  const shared = directWrites(direct)
  const remover = new Remover()
  return {
    ...nodeFiles,
    unlink: (path) => remover.unlink(path),
    create: async (path) => new NewFile(path, await open(path, 'wx'), shared),
    open: async (path) => new StoredFile(await open(path, 'r')),
  }
}

const nodeFiles: Omit<FileLayer, 'create' | 'open' | 'unlink'> = {
  async size(path) {
    return (await stat(path)).size
  },
  async makeFolder(path) {
    return (await mkdir(path, { recursive: true })) ?? null
  },
  async syncFolder(path) {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
  async *names(path) {
    for await (const entry of await opendir(path)) yield entry.name
  },
}
