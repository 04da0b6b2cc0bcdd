import { refusalOf } from './answer-lines.ts'
import type { HttpAnswer } from './http-peer.ts'
import { PeerUnreachable } from './peer-fault.ts'

/** A range of an object that is read whole into memory. */
export interface WantedRange {
  target: Uint8Array
  /** Bytes from `position` on that are wanted; at least one. */
  length: number
  position: number
  /** Of the object. */
  size: number
}

/** The header `Range` that asks for it. */
export function rangeHeader({ position, length }: WantedRange): string {
  return `bytes=${position}-${position + length - 1}`
}

/**
 * Takes the answer to a request for a range.
 * @param who answered, as a sentence begins.
 * @throws PeerUnreachable when it has other bytes than those, more or fewer; PeerRefusal when it has none.
 */
export async function takeRange(answer: HttpAnswer, wanted: WantedRange, who: string): Promise<void> {
  const { target, length } = wanted
  if (!isRange(answer, wanted, who)) throw await refusalOf(answer)
  await fill(target.subarray(0, length), answer, who)
}

/** Whether an answer has the range that was asked for. @throws PeerUnreachable when it claims to and has another one. */
function isRange(answer: HttpAnswer, { position, length, size }: WantedRange, who: string): boolean {
  if (answer.status === 200 && length === size) return true
  if (answer.status !== 206) return false
  const found = answer.headers['content-range']
  const range = `bytes ${position}-${position + length - 1}/${size}`
  if (found === range) return true
  throw new PeerUnreachable(`${who} answered with ${found ?? 'no range'} instead of ${range}.`)
}

async function fill(target: Uint8Array, answer: HttpAnswer, who: string): Promise<void> {
  let filled = 0
  for await (const chunk of answer.chunks) {
    if (filled + chunk.length > target.length) {
      throw new PeerUnreachable(`${who} answered with too many bytes.`)
    }
    target.set(chunk, filled)
    filled += chunk.length
  }
  if (filled < target.length) throw new PeerUnreachable(`${who} answered with too few bytes.`)
}
