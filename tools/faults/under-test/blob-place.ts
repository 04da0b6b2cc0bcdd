import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the objects of the registry are, seen behind its back. */
export interface BlobPlace {
  /** Every object, by its key. */
  keys(): Promise<string[]>
  /** The bytes of an object; null when there is none. */
  open(key: string): Promise<AsyncIterable<Uint8Array> | null>
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
    open: (key) => openFile(join(folder, key.slice(0, 2), key.replace('/', '.'))),
  }
}

/** The bytes of a file; null when there is none. */
export async function openFile(path: string): Promise<AsyncIterable<Uint8Array> | null> {
  try {
    return (await open(path)).createReadStream() as AsyncIterable<Uint8Array>
  } catch {
    return null
  }
}
