import { RegistryError } from '@openregistry/oci'
import { abortable } from '../abortable.ts'
import { errnoOf, guarded, storageFault } from './fault.ts'
import type { FileLayer, LayerFile } from './file-layer.ts'
import type { FolderSync } from './folder-sync.ts'
import type { SyncSlots } from './sync-slots.ts'
import { WriteBack } from './write-back.ts'

/** Where a new object goes. */
export interface WriteTarget {
  files: FileLayer
  path: string
  /** Of the folder that holds `path`. */
  folder: FolderSync
  slots: SyncSlots
  /** Bytes after which write-back begins while more arrive. */
  writeBackEvery: number
}

/**
 * Writes a new file so that it survives a power cut: its bytes, then its name in the folder. Any failure takes the file
 * away again and is thrown as it was.
 * @returns its size in bytes.
 */
export async function writeObject(
  target: WriteTarget,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<number> {
  signal?.throwIfAborted()
  const { files, path, folder, slots, writeBackEvery } = target
  const file = await create(files, path)
  try {
    const size = await fill(file, new WriteBack(file, slots, writeBackEvery), source, signal)
    await guarded(folder.sync())
    signal?.throwIfAborted()
    return size
  } catch (error) {
    // What cannot be removed now is found by the sweep of the upload's prefix.
    await files.unlink(path).catch(() => undefined)
    throw error
  }
}

async function create(files: FileLayer, path: string): Promise<LayerFile> {
  try {
    return await files.create(path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw storageFault(error)
    throw new RegistryError('INTERNAL', 'A storage key was used twice.', { cause: error })
  }
}

/** Writes and syncs everything, then closes the file, whatever happens. */
async function fill(
  file: LayerFile,
  writeBack: WriteBack,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let size = 0
  try {
    for await (const chunk of abortable(source, signal)) {
      await writeFully(file, chunk, size)
      size += chunk.length
      writeBack.wrote(chunk.length)
    }
    await guarded(writeBack.finish())
  } catch (error) {
    await writeBack.settled()
    // The error that is on its way says more than what closing could add.
    await file.close().catch(() => undefined)
    throw error
  }
  // Some file systems report a full quota only here.
  await guarded(file.close())
  return size
}

/** The system may take fewer bytes than it was given; the rest is offered again. */
async function writeFully(file: LayerFile, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < chunk.length) {
    const rest = done === 0 ? chunk : chunk.subarray(done)
    const written = await guarded(file.write(rest, position + done))
    if (written === 0) throw new RegistryError('STORAGE_UNAVAILABLE', 'The disk took no bytes.')
    done += written
  }
}
