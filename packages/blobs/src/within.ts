import { RegistryError } from '@openregistry/oci'
import type { ByteRange } from '@openregistry/core'

/**
 * The range to read of an object of `size` bytes; the whole of it when no range is given.
 * @throws RegistryError `RANGE_INVALID` when the range does not lie within.
 */
export function within(size: number, range: ByteRange | undefined): ByteRange {
  if (range === undefined) return { offset: 0, length: size }
  const { offset, length } = range
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length)
  if (!whole || offset < 0 || length < 0 || offset + length > size) {
    throw new RegistryError('RANGE_INVALID', undefined, {
      cause: `${length} bytes from ${offset} of an object of ${size} bytes`,
    })
  }
  return { offset, length }
}
