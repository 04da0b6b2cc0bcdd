import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { backendFault } from './peer-fault.ts'

const nameForm = /^[0-9a-f-]{36}\.spool$/

/**
 * A folder for content on its way to a backend that cannot take it byte by byte. A file in it has no name from the moment
 * on in which it is there: whatever happens to the process, nothing of it is left.
 */
export class Spool {
  readonly #folder: string
  #prepared: Promise<void> | null = null

  /** @param folder made when it is first needed; processes may share it. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens a new file. @throws RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`. */
  async create(): Promise<SpoolFile> {
    try {
      await (this.#prepared ??= this.#prepare())
      const path = join(this.#folder, `${randomUUID()}.spool`)
      const file = await open(path, 'wx+', 0o600)
      await unlink(path).catch((error: unknown) => ignoreMissing(error))
      return new SpoolFile(file)
    } catch (error) {
      this.#prepared = null
      throw backendFault(error)
    }
  }

  /** A process that was killed between the making of a file and the taking of its name leaves an empty one. */
  async #prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.#folder)) {
      if (nameForm.test(name))
        await unlink(join(this.#folder, name)).catch((error: unknown) => ignoreMissing(error))
    }
  }
}

/** Another process may have been quicker. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

/** Content that waits. Closing it gives its space back. */
export class SpoolFile implements AsyncDisposable {
  readonly #file: FileHandle
  #size = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Appends bytes. @throws RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`. */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#size + done)
        done += bytesWritten
      }
      this.#size += bytes.length
    } catch (error) {
      throw backendFault(error)
    }
  }

  /** Fills `target` with the bytes from `offset` on. @throws RegistryError `STORAGE_UNAVAILABLE`. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    try {
      for (let done = 0; done < target.length;) {
        const { bytesRead } = await this.#file.read(target, done, target.length - done, offset + done)
        if (bytesRead === 0) throw new Error(`the spool file ends before ${offset + target.length}`)
        done += bytesRead
      }
    } catch (error) {
      throw backendFault(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It has no name any more; what closing could report is of no interest to anybody.
    await this.#file.close().catch(() => undefined)
  }
}
