import {
  backendNamed,
  openObject,
  type BlobLocation,
  type ByteRange,
  type ObjectReader,
  type Ports,
} from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'

/** Why a place does not give what it should have. */
export type Lost = 'missing' | 'damaged'

/**
 * Opens a blob where it lies, whole or a part that lies within it.
 * @returns what is wrong with the place, if something is.
 * @throws RegistryError `STORAGE_UNAVAILABLE`.
 */
export async function openPlace(
  ports: Pick<Ports, 'backends'>,
  location: BlobLocation,
  size: number,
  range: ByteRange | undefined,
): Promise<ObjectReader | Lost> {
  if (location.kind === 'inline') return openInline(location.bytes, size, range)
  return openObject(backendNamed(ports, location.backend), location.key, size, range)
}

function openInline(bytes: Uint8Array, size: number, range: ByteRange | undefined): ObjectReader | Lost {
  if (bytes.length !== size) return 'damaged'
  const wanted = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length)
  const chunks = (async function* () {
    if (wanted.length > 0) yield wanted
  })()
  return { size, chunks, [Symbol.asyncDispose]: () => Promise.resolve() }
}

/**
 * Reads all bytes of a range into memory that is as long.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when they are fewer or more than it has: a connection broke.
 */
export async function readInto(target: Uint8Array, reader: ObjectReader): Promise<void> {
  const { length } = target
  await using open = reader
  let at = 0
  for await (const chunk of open.chunks) {
    if (at + chunk.length > length) throw wrongLength(at + chunk.length, length)
    target.set(chunk, at)
    at += chunk.length
  }
  if (at !== length) throw wrongLength(at, length)
}

function wrongLength(found: number, expected: number): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `${found} bytes came of a range of ${expected}`,
  })
}
