import { RegistryError } from '@openregistry/oci'
import type { SpanSource } from '../reading/span-reader.ts'
import { refusalOf } from './answer-lines.ts'
import type { HttpAnswer } from './http-peer.ts'
import { PeerUnreachable } from './peer-fault.ts'
import { persistently } from './retrying.ts'

/** An object that a service gives in ranges. */
export interface RangedObject {
  /** In bytes. */
  size: number
  /** Who answers, as a sentence begins. */
  who: string
  /** Asks for it once, with this value of the header `Range`; the signal ends that. */
  ask(range: string, signal: AbortSignal): Promise<HttpAnswer>
  /** Milliseconds after the first attempt of a read in which another one may begin. */
  retryWithin: number
}

/**
 * Reads an object range by range, each whole into memory, whatever its consumer does meanwhile: a gateway that cannot get rid of
 * its bytes for a while gives up, and writes an excuse in between them.
 */
export function rangeSource({ size, who, ask, retryWithin }: RangedObject): SpanSource {
  const abandoned = new AbortController()
  const { signal } = abandoned
  return {
    read: (target, length, position) => {
      const wanted = { target, length, position, size }
      const attempt = async (): Promise<number> => {
        await taken(await ask(rangeHeader(wanted), signal), wanted, { who, signal })
        return length
      }
      return persistently(attempt, { within: retryWithin, signal })
    },
    abandon: () => abandoned.abort(new RegistryError('INTERNAL', 'An object was read after it was closed.')),
    close: () => Promise.resolve(),
  }
}

/** A range of an object. */
interface WantedRange {
  target: Uint8Array
  /** Bytes from `position` on that are wanted; at least one. */
  length: number
  position: number
  /** Of the object. */
  size: number
}

function rangeHeader({ position, length }: WantedRange): string {
  return `bytes=${position}-${position + length - 1}`
}

/**
 * Takes the answer to a request for a range. A request takes no notice of its signal once it is sent.
 * @throws PeerUnreachable when it has other bytes than those, more or fewer; PeerRefusal when it has none.
 */
async function taken(
  answer: HttpAnswer,
  wanted: WantedRange,
  { who, signal }: { who: string; signal: AbortSignal },
): Promise<void> {
  const stop = (): void => answer.discard()
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    if (!isRange(answer, wanted, who)) throw await refusalOf(answer)
    await fill(wanted.target.subarray(0, wanted.length), answer, who)
  } catch (error) {
    answer.discard()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
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
