import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes the folder for the database, if it is missing, so that a power cut cannot take its name away again.
 * @throws the error of the system.
 */
export async function makeDataFolder(folder: string): Promise<void> {
  const topmost = await mkdir(folder, { recursive: true })
  if (topmost === undefined) return
  const last = dirname(topmost)
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    await using handle = await open(parent, 'r')
    await handle.sync()
    if (parent === last || parent === dirname(parent)) return
  }
}
