import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { identityName, parseBackendIdentity, type BackendIdentity } from '@openregistry/core'
import { errnoOf } from './fault.ts'
import type { FileLayer, LayerFile } from './file-layer.ts'

/** More than an identity with its line end; what is longer is something else. */
const longest = 64

/** How long whoever makes the file may take until it is whole, and between two looks; milliseconds. */
const patience = 5000
const betweenLooks = 50

/** The file by which a folder of blobs and a database know each other. Errors are those of the file layer. */
export class IdentityFile {
  readonly #files: FileLayer
  readonly #folder: string
  readonly #path: string
  readonly #patience: number

  /** @param wait for a file that somebody else makes at this moment, in milliseconds. */
  constructor(files: FileLayer, folder: string, wait = patience) {
    this.#files = files
    this.#folder = folder
    this.#path = join(folder, identityName)
    this.#patience = wait
  }

  /** What it says; null when there is no such file or folder, or it is not whole. */
  async read(): Promise<BackendIdentity | null> {
    const file = await this.#unlessMissing(this.#files.open(this.#path))
    return file === null ? null : this.#use(file, readFrom)
  }

  /** Makes the file if there is none; durable. @returns what it says then. */
  async write(identity: BackendIdentity): Promise<BackendIdentity> {
    for (let waited = 0; ; waited += betweenLooks) {
      const file = await this.#create()
      if (file !== null) {
        await this.#fill(file, identity)
        return identity
      }
      const found = await this.#settle()
      if (found !== null) return found
      // Whoever began it was killed, or the power was cut before its bytes were on the disk.
      if (waited >= this.#patience) await this.#unlessMissing(this.#files.unlink(this.#path))
      else await pause(betweenLooks)
    }
  }

  /** Makes the file, whatever was there; durable. */
  async replace(identity: BackendIdentity): Promise<void> {
    await this.#unlessMissing(this.#files.unlink(this.#path))
    await this.write(identity)
  }

  async #create(): Promise<LayerFile | null> {
    try {
      return await this.#files.create(this.#path)
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return null
      throw error
    }
  }

  async #fill(file: LayerFile, identity: BackendIdentity): Promise<void> {
    await this.#use(file, async () => {
      await file.write(new TextEncoder().encode(`${identity}\n`), 0)
      await file.datasync()
    })
    await this.#files.syncFolder(this.#folder)
  }

  /** Reads it, and makes sure that it is on the disk: whoever wrote it may have been killed before that. */
  async #settle(): Promise<BackendIdentity | null> {
    const file = await this.#unlessMissing(this.#files.open(this.#path))
    if (file === null) return null
    const found = await this.#use(file, async () => {
      const read = await readFrom(file)
      if (read !== null) await file.datasync()
      return read
    })
    if (found !== null) await this.#files.syncFolder(this.#folder)
    return found
  }

  async #use<T>(file: LayerFile, body: (file: LayerFile) => Promise<T>): Promise<T> {
    try {
      return await body(file)
    } finally {
      await file.close()
    }
  }

  async #unlessMissing<T>(operation: Promise<T>): Promise<T | null> {
    try {
      return await operation
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return null
      throw error
    }
  }
}

async function readFrom(file: LayerFile): Promise<BackendIdentity | null> {
  const bytes = new Uint8Array(longest)
  const length = await file.read(bytes, longest, 0)
  return parseBackendIdentity(new TextDecoder().decode(bytes.subarray(0, length)))
}
