import type { Connection, Libp2p } from '@libp2p/interface'
import type { BlockView } from '../../block-view.ts'
import { ByteBudget } from './byte-budget.ts'
import { PeerSession, type BitswapObserver, type SessionParts } from './peer-session.ts'
import { bitswapProtocols } from './protocols.ts'

/** Bytes that messages of all peers together may take: large ones that arrive, and answers. */
const budgets = { incoming: 16 * 2 ** 20, outgoing: 64 * 2 ** 20 }

/** Streams on which one connection may ask at a time; Kubo uses one. */
const maxInboundStreams = 4

/**
 * Answers peers that ask for blocks (Bitswap 1.2, and 1.1). Nothing is asked of them, and what they want and is not here is
 * forgotten: they ask again.
 */
export async function serveBitswap(
  node: Pick<Libp2p, 'handle'>,
  view: BlockView,
  observer: BitswapObserver,
): Promise<void> {
  const parts: SessionParts = {
    ...{ view, observer },
    incoming: new ByteBudget(budgets.incoming),
    outgoing: new ByteBudget(budgets.outgoing),
  }
  const sessions = new WeakMap<Connection, PeerSession>()
  const sessionOf = (connection: Connection): PeerSession => {
    const known = sessions.get(connection)
    if (known !== undefined) return known
    const session = new PeerSession(connection, parts)
    sessions.set(connection, session)
    return session
  }
  await node.handle([...bitswapProtocols], (stream, connection) => sessionOf(connection).receive(stream), {
    maxInboundStreams,
    maxOutboundStreams: 1,
  })
}
