/** Positions of the first and the last byte of a chunk, both inclusive, from 0. */
export interface ChunkRange {
  start: number
  end: number
}

/** The specification's `start-end`, and HTTP's `bytes start-end/total` and `bytes start-end/*`. */
const chunkForm = /^(?:bytes[ =])?([0-9]{1,16})-([0-9]{1,16})(?:\/(?:[0-9]{1,16}|\*))?$/i

/**
 * The `Content-Range` of a chunk of an upload (distribution specification, "Pushing a blob in chunks"): `start-end`
 * with no unit. The form of RFC 9110 §14.4 is taken too, because some clients and proxies send it; its total is not
 * looked at. Null when it is neither, when it is reversed, or beyond 2^53-1.
 */
export function parseChunkRange(header: string): ChunkRange | null {
  const match = chunkForm.exec(header.trim())
  if (match === null) return null
  const start = Number(match[1])
  const end = Number(match[2])
  return Number.isSafeInteger(end) && start <= end ? { start, end } : null
}

/** What a `Range` header asks of content: a part of it (in bytes), all of it, or something that is not there. */
export type RequestedRange = { offset: number; length: number } | 'whole' | 'unsatisfiable'

const rangeForm = /^bytes=\s*([0-9]*)-([0-9]*)\s*$/i

/**
 * The `Range` of a request for content of `size` bytes (RFC 9110 §14.2). One range of bytes is honoured: `a-b`, `a-`
 * and `-n`, its end clamped. Several ranges, other units and malformed headers are ignored, as the RFC allows: the answer
 * is the whole content. A reversed range is malformed by the RFC; registries answer it with 416, and so it is
 * `unsatisfiable` here, like one that begins beyond the end.
 */
export function parseRange(header: string | undefined, size: number): RequestedRange {
  const match = header === undefined ? null : rangeForm.exec(header)
  if (match === null) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? 'whole' : suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  // The end lies within the content, so a range that begins beyond it ends before its start, like a reversed one.
  return end < start ? 'unsatisfiable' : { offset: start, length: end - start + 1 }
}

/** The last `length` bytes. Of empty content that is all of it: no `Content-Range` can name an empty part. */
function suffix(length: number, size: number): RequestedRange {
  if (length === 0) return 'unsatisfiable'
  if (size === 0) return 'whole'
  const taken = Math.min(length, size)
  return { offset: size - taken, length: taken }
}
