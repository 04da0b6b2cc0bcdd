import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { errnoOf } from './fault.ts'
import type { LayerFile } from './file-layer.ts'

/** What memory, position and length of a direct write are multiples of: enough for every disk sector in use. */
const alignment = 4096

/** Whether a file system takes direct writes; found out by trying, and shared by the files of a layer. */
export interface DirectWrites {
  available: boolean
}

/** Direct writes where the system knows them; macOS does not. */
export function directWrites(wanted: boolean): DirectWrites {
  return { available: wanted && constants.O_DIRECT !== undefined }
}

/**
 * A file that is being written. Whole pieces of the hasher's pool go to the disk directly, around the page cache: half of
 * the time of a large push went into copying to pages that nobody had touched before, and a big layer no longer drives
 * out what others are reading. What is small or unaligned, the end of a file above all, takes the ordinary way; the two
 * never share a page, because pieces are whole pages and come first.
 */
export class NewFile implements LayerFile {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #direct: DirectWrites
  #directHandle: FileHandle | null = null

  constructor(path: string, handle: FileHandle, direct: DirectWrites) {
    this.#path = path
    this.#handle = handle
    this.#direct = direct
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  read(): Promise<number> {
    return Promise.reject(new Error('A new file is only written.'))
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    if (this.#direct.available && isAligned(bytes, position)) {
      const written = await this.#writeDirectly(bytes, position)
      if (written !== null) return written
    }
    return (await this.#handle.write(bytes, 0, bytes.length, position)).bytesWritten
  }

  /** One sync of the file covers both ways: it writes what is in the page cache, and flushes the disk's own cache. */
  datasync(): Promise<void> {
    return this.#handle.datasync()
  }

  async close(): Promise<void> {
    try {
      await this.#directHandle?.close()
    } finally {
      await this.#handle.close()
    }
  }

  /** Null when the file system does not take direct writes; it is not asked again. */
  async #writeDirectly(bytes: Uint8Array, position: number): Promise<number | null> {
    try {
      this.#directHandle ??= await open(this.#path, constants.O_WRONLY | constants.O_DIRECT)
      return (await this.#directHandle.write(bytes, 0, bytes.length, position)).bytesWritten
    } catch (error) {
      const errno = errnoOf(error)
      if (errno !== 'EINVAL' && errno !== 'EOPNOTSUPP' && errno !== 'ENOTSUP') throw error
      this.#direct.available = false
      return null
    }
  }
}

/** Growable shared memory begins at a page; of other memory that is not known. */
function isAligned({ buffer, byteOffset, length }: Uint8Array, position: number): boolean {
  if (!(buffer instanceof SharedArrayBuffer) || !buffer.growable || length === 0) return false
  return byteOffset % alignment === 0 && length % alignment === 0 && position % alignment === 0
}
