import { RegistryError } from '@openregistry/oci'
import type { Bucket, Published } from './bucket.ts'

/** An object that is to be made. */
export interface NewObject {
  /** Its name in the bucket. */
  name: string
  /** In bytes. */
  size: number
  /** A random word that only this write knows; it is stored with the object. */
  mark: string
}

/** What a {@link NewObject} is stored with. */
export function markedWith(mark: string): Record<string, string> {
  return { write: mark }
}

/**
 * Makes an object and finds out whether that happened. An answer may get lost, and a request that was repeated meets what
 * its first attempt has made: then the object itself says by its mark whose it is.
 *
 * @param send makes it, under a name that is used once.
 * @param look whether to look at the object even when the answer is good: that of several parts is the sum of what arrived.
 * @throws RegistryError `INTERNAL` when somebody else has used the name; `STORAGE_FULL`, `STORAGE_UNAVAILABLE`, and then
 * nothing is left as far as the service answers.
 */
export async function publish(
  bucket: Bucket,
  { name, size, mark }: NewObject,
  send: () => Promise<Published>,
  { look = false }: { look?: boolean } = {},
): Promise<void> {
  const { answer, fault } = await answerOf(send)
  if (answer === 'stored' && !look) return
  const found = await headOf(bucket, name, fault)
  const isOurs = found?.metadata['write'] === mark
  if (isOurs && found.size === size) return
  if (isOurs) {
    await bucket.remove(name)
    throw lost(`${found.size} bytes were stored instead of ${size}`)
  }
  if (found !== null && answer === 'exists') {
    throw new RegistryError('INTERNAL', 'A storage key was used twice.', { cause: name })
  }
  throw fault ?? lost(`the service answered "${answer}" and does not have the object`)
}

async function answerOf(
  send: () => Promise<Published>,
): Promise<{ answer: Published | null; fault: unknown }> {
  try {
    return { answer: await send(), fault: null }
  } catch (fault) {
    return { answer: null, fault }
  }
}

/** A service that does not answer either time is away; what it may have made is found by the sweep. */
async function headOf(bucket: Bucket, name: string, fault: unknown): ReturnType<Bucket['head']> {
  try {
    return await bucket.head(name)
  } catch (error) {
    throw fault ?? error
  }
}

function lost(cause: string): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
}
