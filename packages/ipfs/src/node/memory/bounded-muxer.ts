import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { bitswapProtocols } from '../bitswap/protocols.ts'
import { hasUnread } from '../bitswap/stream-pieces.ts'
import { pingProtocol } from '../ping/answer-pings.ts'
import type { Holder, PeerMemory } from './peer-memory.ts'
import { YamuxFrames } from './yamux-frames.ts'

/** Protocols whose streams are read by code of ours, which holds nothing that it does not account for. */
const ours: ReadonlySet<string> = new Set([...bitswapProtocols, pingProtocol])

/**
 * A muxer whose connections share memory.
 * @param window bytes that a stream may have under way.
 */
export function boundedMuxer(
  factory: StreamMuxerFactory,
  { memory, window }: { memory: PeerMemory; window: number },
): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection) {
      const held = new HeldByConnection(connection, new YamuxFrames(window))
      connection.addEventListener('message', ({ data }) => {
        // Before the muxer hears of it.
        const cost = held.take(data.subarray())
        if (cost !== null) memory.note(held, cost)
      })
      connection.addEventListener('close', () => memory.forget(held))
      return held.muxed(factory.createStreamMuxer(connection))
    },
  }
}

/**
 * What a connection holds: all that has arrived on it since it held nothing for the last time. It is more than what is unread,
 * but nothing less is sure: a byte that waits keeps the chunk in memory with which it came.
 */
class HeldByConnection implements Holder {
  readonly #connection: MessageStream
  readonly #frames: YamuxFrames
  #muxer: StreamMuxer | null = null
  #arrived = 0

  constructor(connection: MessageStream, frames: YamuxFrames) {
    this.#connection = connection
    this.#frames = frames
  }

  muxed(muxer: StreamMuxer): StreamMuxer {
    this.#muxer = muxer
    return muxer
  }

  /** @returns what is held with this chunk; null when it ends the connection. */
  take(chunk: Uint8Array): number | null {
    this.held()
    try {
      return (this.#arrived += this.#frames.take(chunk))
    } catch (error) {
      this.#connection.abort(error as Error)
      return null
    }
  }

  held(): number {
    if (this.#holdsNothing()) this.#arrived = this.#frames.unfinished
    return this.#arrived
  }

  cut(): void {
    this.#connection.abort(new Error('Peers hold too much memory, and this one the most.'))
  }

  /** Whether everything was read, and every answer was taken: even a ping is answered. */
  #holdsNothing(): boolean {
    if (this.#connection.writableNeedsDrain) return false
    return this.#muxer?.streams.every((stream) => isOurs(stream) && !hasUnread(stream)) ?? false
  }
}

/** What libraries read they may keep. Of streams that we open only those for answers are ours. */
function isOurs({ direction, protocol }: Stream): boolean {
  return ours.has(protocol) && (direction === 'inbound' || protocol !== pingProtocol)
}
