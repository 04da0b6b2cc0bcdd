import { lists } from '../ports/blob-store.ts'
import type { StorageKey, UploadId } from '../ports/storage-key.ts'
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
 * @throws the first error of a backend that did not list or delete, after everything else is done.
 */
export async function sweep(
  ports: Ports,
  signal?: AbortSignal,
): Promise<{ uploads: number; objects: number }> {
  const { uploads, fault } = await sweepUploads(ports, signal)
  const objects = await deletePending(ports, signal)
  if (fault !== null) throw fault.error
  return { uploads, objects }
}

async function sweepUploads(
  ports: Ports,
  signal?: AbortSignal,
): Promise<{ uploads: number; fault: { error: unknown } | null }> {
  const ended = await ports.metadata.expireUploads(batch)
  let fault: { error: unknown } | null = null
  let uploads = 0
  for (const { upload, backend } of ended) {
    if (signal?.aborted === true) break
    const found = await listUpload(ports, backend, upload).catch((error: unknown) => {
      // Its tombstone stays; those of other backends need not wait for this one.
      fault ??= { error }
      return null
    })
    if (found === null) continue
    await ports.metadata.sweepUpload(upload, found)
    uploads++
  }
  return { uploads, fault }
}

/** Everything that writers of an upload left in its backend. */
async function listUpload(ports: Ports, backend: string, upload: UploadId): Promise<StorageKey[]> {
  const store = backendNamed(ports, backend)
  const found: StorageKey[] = []
  if (lists(store)) for await (const key of store.list(`${upload}/`)) found.push(key)
  return found
}
