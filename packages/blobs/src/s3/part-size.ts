/** Parts that an object may have (Amazon S3, "Multipart upload limits"); others allow as many. */
export const mostParts = 10_000

/** The largest part that Amazon S3 takes, in bytes. */
const largestPart = 5 * 1024 ** 3

/** Parts after which they double. */
const stride = 1000

/**
 * Bytes of the part with this number, from 1. The first thousand are as large as configured; then they double with every
 * thousand, so that parts suffice for any object, and an object is hundreds of times as large as what is held of it.
 */
export function partSizeOf(number: number, configured: number): number {
  return Math.min(configured * 2 ** Math.floor((number - 1) / stride), Math.max(configured, largestPart))
}
