import { abortable } from '../abortable.ts'
import type { Bucket } from './bucket.ts'
import type { PartBuffers } from './part-buffers.ts'
import { PartUpload } from './part-upload.ts'

/** Where a new object goes. */
export interface WriteTarget {
  bucket: Bucket
  /** Its name in the bucket. */
  name: string
  /** Bytes of the first parts; an object of at most one part is sent in one request. */
  partSize: number
  buffers: PartBuffers
}

/**
 * Writes a new object while its bytes arrive. A part is sent when it is full, so memory is a few parts. Any failure gives
 * the upload up and is thrown as it was.
 * @returns its size in bytes.
 */
export async function writeObject(
  target: WriteTarget,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<number> {
  signal?.throwIfAborted()
  await using upload = new PartUpload(target, signal)
  try {
    for await (const chunk of abortable(source, signal)) await upload.take(chunk)
    signal?.throwIfAborted()
    await upload.publish()
  } catch (error) {
    // What a request that was cut off says is not why it was.
    signal?.throwIfAborted()
    throw error
  }
  if (signal?.aborted === true) {
    // What cannot be removed now is found by the sweep of the upload's prefix.
    await target.bucket.remove(target.name).catch(() => undefined)
    throw signal.reason
  }
  return upload.size
}
