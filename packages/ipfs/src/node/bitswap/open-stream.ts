import type { Connection, Stream } from '@libp2p/interface'
import { bitswapProtocols } from './protocols.ts'

/** Milliseconds that a peer may take to open a stream. */
const patience = 10_000

/** Opens a stream on which messages leave; whatever the peer has to say comes on one of its own. */
export async function openStream(connection: Connection): Promise<Stream> {
  const signal = AbortSignal.timeout(patience)
  const stream = await connection.newStream([...bitswapProtocols], { signal })
  await stream.closeRead({ signal })
  return stream
}
