import type { Libp2p } from '@libp2p/interface'
import { sendMessage } from '../bitswap/send-message.ts'
import { streamPieces } from '../bitswap/stream-pieces.ts'

/** What is sent comes back (libp2p, "Ping"). */
export const pingProtocol = '/ipfs/ping/1.0.0'

/** Streams on which one connection may ping at a time, as the specification has it. */
const maxInboundStreams = 2

/** Milliseconds that a peer may take to end a stream. */
const patience = 10_000

/**
 * Answers pings. The service of libp2p goes on reading while it waits until its answers are taken; here nothing is read before
 * the answer to what came before has left.
 */
export async function answerPings(node: Pick<Libp2p, 'handle'>): Promise<void> {
  await node.handle(
    pingProtocol,
    async (stream) => {
      try {
        for await (const piece of streamPieces(stream)) await sendMessage(stream, piece)
        await stream.close({ signal: AbortSignal.timeout(patience) })
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error('The stream failed.', { cause: error }))
      }
    },
    { maxInboundStreams },
  )
}
