import { statfs } from 'node:fs/promises'
import { RegistryError } from '@openregistry/oci'

/** Bytes that a group of large manifests and its log may take. */
const neededSpace = 16 * 1024 * 1024

/**
 * Makes sure that the next steps fit on the disk, without writing to it.
 * @throws RegistryError `STORAGE_FULL`.
 */
export async function requireSpace(folder: string, needed = neededSpace): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= needed) return
  throw new RegistryError(
    'STORAGE_FULL',
    `The disk of the database has ${Math.floor(free / 1024)} KiB left, ${Math.ceil(needed / 1024)} KiB are needed.`,
  )
}
