import { createHash } from 'node:crypto'
import { withHTTP } from '@helia/http'
import { unixfs, type UnixFS } from '@helia/unixfs'
import type { CID } from 'multiformats/cid'

/** What {@link withHTTP} puts into a node of Helia. */
type Node = Parameters<typeof withHTTP>[0]

/** Finds out who has a block. */
interface Router {
  findProviders(cid: CID, options: { signal: AbortSignal }): AsyncIterable<unknown>
}

/** Fetches a block. */
interface Broker {
  retrieve(
    cid: CID,
    options: { signal: AbortSignal; validateFn: (block: Uint8Array) => void },
  ): Promise<Uint8Array>
}

/**
 * Helia with its HTTP transports and nothing else (`@helia/http`): it finds out from one delegated router who has a block, and
 * fetches it there from a trustless gateway. The node of the package `helia` is left out, since it comes with libp2p and WebRTC; what
 * is asked for and how is the affair of the parts that are here.
 * @param router origin of the only router.
 * @param signal ends whatever is asked for.
 */
export function heliaOf(router: string, signal: AbortSignal): UnixFS {
  const routers: Router[] = []
  const brokers: Broker[] = []
  const routing = {
    async *findProviders(cid: CID) {
      for (const one of routers) yield* one.findProviders(cid, { signal })
    },
  }
  const components = { logger: silent, routing }
  const made = <T>(part: unknown): T => (typeof part === 'function' ? (part(components) as T) : (part as T))
  const node = {
    addRouter: (part: unknown) => void routers.push(made<Router>(part)),
    addBlockBroker: (part: unknown) => void brokers.push(made<Broker>(part)),
    hasBlockBroker: () => false,
  }
  withHTTP(node as unknown as Node, {
    delegatedRouters: [router],
    recursiveGateways: [],
    // The registry of the test is at a loopback address, without a certificate.
    ...{ allowInsecure: true, allowLocal: true },
  })
  const blockstore = {
    async *get(cid: CID) {
      const [broker] = brokers
      yield await broker!.retrieve(cid, { signal, validateFn: (block) => compare(cid, block) })
    },
  }
  return unixfs({ blockstore } as unknown as Parameters<typeof unixfs>[0])
}

/** What the node of Helia does with every block. */
function compare({ multihash }: CID, block: Uint8Array): void {
  const hash = createHash('sha256').update(block).digest()
  if (Buffer.compare(hash, multihash.digest) !== 0) throw new Error('The block has another hash.')
}

const log = Object.assign(() => undefined, {
  ...{ enabled: false, error: () => undefined, trace: () => undefined },
  newScope: () => log,
})

const silent = { forComponent: () => log }
