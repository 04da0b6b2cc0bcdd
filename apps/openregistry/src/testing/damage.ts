import { open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'

/** What may happen to a file that holds an object. */
export const damages = {
  /** One bit of a byte in the middle. */
  async flipped(file: string): Promise<void> {
    await using handle = await open(file, 'r+')
    const { size } = await handle.stat()
    const at = Math.floor(size / 2)
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ 1
    await handle.write(byte, 0, 1, at)
  },
  truncated: (file: string) => truncate(file, 1000),
  deleted: (file: string) => rm(file),
  /** Another program's file of the same size. */
  async foreign(file: string): Promise<void> {
    await using handle = await open(file, 'r+')
    const { size } = await handle.stat()
    await handle.write(Buffer.alloc(size, 'x'), 0, size, 0)
  },
  emptied: (file: string) => truncate(file, 0),
} as const

/** Files of objects below a blob folder, oldest name first. */
export async function objectFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true })
  return files
    .filter((file) => /^..\/[0-9a-f]{32}\./.test(file))
    .toSorted()
    .map((file) => join(folder, file))
}
