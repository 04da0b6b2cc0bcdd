import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the objects of the registry are, seen behind its back. */
export interface BlobPlace {
  /** Every object, by its key. */
  keys(): Promise<string[]>
  /** The file of an object. */
  file(key: string): string
}

/** The folder of the disk driver. */
export function folderPlace(folder: string): BlobPlace {
  return {
    async keys() {
      const files = await readdir(folder, { recursive: true, withFileTypes: true })
      return files
        .filter((file) => file.isFile() && /^[0-9a-f]{32}\.[0-9a-f]{32}$/.test(file.name))
        .map((file) => file.name.replace('.', '/'))
    },
    file: (key) => join(folder, key.slice(0, 2), key.replace('/', '.')),
  }
}
