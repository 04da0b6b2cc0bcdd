import { gatewaySource, parsePeerAddress, type NamedSource, type PeerAddress } from '@openregistry/ipfs'
import type { Config } from '@openregistry/server/config'
import { CommandError, exitCodes } from './exit-codes.ts'
import { readSwarmKey } from './read-swarm-key.ts'

/** An address of `--from`: where a trustless gateway is, or a peer. */
export type SourceAddress = { gateway: string } | { peer: PeerAddress }

/** Reads it. @throws CommandError when it is none. */
export function parseSourceAddress(text: string): SourceAddress {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return { gateway: text }
  const peer = parsePeerAddress(text)
  if (peer !== null) return { peer }
  throw new CommandError(
    `${text} is no address of --from; write it like https://ipfs.example.org, or /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo….`,
    { exitCode: exitCodes.usage },
  )
}

/**
 * Those who are asked for blocks that are missing here. Peers are in the private network that the configuration has, and their
 * libraries load only where there is one.
 * @param opened what ends their connections.
 * @throws CommandError when an address or the swarm key is none; the error of the system when that cannot be read.
 */
export async function openSources(
  texts: readonly string[],
  { ipfs }: Config,
  opened: AsyncDisposableStack,
): Promise<NamedSource[]> {
  const addresses = texts.map(parseSourceAddress)
  if (!addresses.some((address) => 'peer' in address))
    return addresses.flatMap((address) => ('gateway' in address ? [gatewaySource(address.gateway)] : []))
  const { openPeers } = await import('@openregistry/ipfs/node')
  const peers = opened.use(openPeers({ swarmKey: await readSwarmKey(ipfs.swarm_key_file) }))
  return addresses.map((address) =>
    'peer' in address ? peers.source(address.peer) : gatewaySource(address.gateway),
  )
}
