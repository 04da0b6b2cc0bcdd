import { lists, listsUploads, type BlobStore, type ListsUploads } from '../ports/blob-store.ts'
import { uploadOf, type StorageKey, type UploadId } from '../ports/storage-key.ts'
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
  const listUpload = listing(ports, ended)
  let fault: { error: unknown } | null = null
  let uploads = 0
  for (const { upload, backend } of ended) {
    if (signal?.aborted === true) break
    const found = await listUpload({ upload, backend }).catch((error: unknown) => {
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

/** An upload whose time is over, and where its objects are. */
interface Ended {
  upload: UploadId
  backend: string
}

/** Finds everything that writers of an upload left in its backend, if it is one of these. */
function listing(ports: Ports, all: readonly Ended[]): (ended: Ended) => Promise<StorageKey[]> {
  const walks = new Map<string, Promise<Map<UploadId, StorageKey[]>>>()
  return async ({ upload, backend }) => {
    const store = backendNamed(ports, backend)
    if (!listsUploads(store)) return listOne(store, upload)
    let walk = walks.get(backend)
    if (walk === undefined) {
      const here = all.filter((other) => other.backend === backend)
      walks.set(backend, (walk = walkOnce(store, new Set(here.map((other) => other.upload)))))
    }
    return (await walk).get(upload) ?? []
  }
}

async function listOne(store: BlobStore, upload: UploadId): Promise<StorageKey[]> {
  const found: StorageKey[] = []
  if (lists(store)) for await (const key of store.list(`${upload}/`)) found.push(key)
  return found
}

async function walkOnce(
  store: ListsUploads,
  uploads: ReadonlySet<UploadId>,
): Promise<Map<UploadId, StorageKey[]>> {
  const found = new Map<UploadId, StorageKey[]>()
  for await (const key of store.listUploads(uploads)) {
    const keys = found.get(uploadOf(key))
    if (keys === undefined) found.set(uploadOf(key), [key])
    else keys.push(key)
  }
  return found
}
