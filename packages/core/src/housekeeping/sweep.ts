import { lists } from '../ports/blob-store.ts'
import type { StorageKey } from '../ports/storage-key.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { deletePending } from './delete-pending.ts'

/** Sessions that one round looks at; a round is short, so that many small ones never hold others up. */
const batch = 100

/**
 * Ends uploads whose time is over, finds what writers left behind under ended ones, and deletes the bytes that no row
 * names. Safe at any moment, on any number of replicas, and after a crash anywhere: rows go first, bytes after, and a
 * key is never used twice.
 *
 * @returns how much was done; another round may find more.
 */
export async function sweep(
  ports: Ports,
  signal?: AbortSignal,
): Promise<{ uploads: number; objects: number }> {
  const uploads = await sweepUploads(ports, signal)
  const objects = await deletePending(ports, signal)
  return { uploads, objects }
}

async function sweepUploads(ports: Ports, signal?: AbortSignal): Promise<number> {
  const ended = await ports.metadata.expireUploads(batch)
  for (const { upload, backend } of ended) {
    if (signal?.aborted === true) return 0
    const store = backendNamed(ports, backend)
    const found: StorageKey[] = []
    if (lists(store)) for await (const key of store.list(`${upload}/`)) found.push(key)
    await ports.metadata.sweepUpload(upload, found)
  }
  return ended.length
}
