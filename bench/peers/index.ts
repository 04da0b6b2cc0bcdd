import { bare } from './bare.ts'
import { distribution2, distribution3, distribution3Plain } from './distribution.ts'
import { kubo } from './kubo.ts'
import { openregistryKubo, openregistryS3 } from './openregistry-backends.ts'
import { openregistry, openregistryPg, openregistryPg2 } from './openregistry.ts'
import type { Peer, PeerId } from './peer.ts'
import { zot } from './zot.ts'

/** In the order of the table. */
export const peers: readonly Peer[] = [
  openregistry,
  openregistryPg,
  openregistryPg2,
  openregistryS3,
  openregistryKubo,
  distribution2,
  distribution3,
  distribution3Plain,
  zot,
  kubo,
  bare,
]

/** Measured when nothing else is asked for; those that are not installed are said and left out. */
export const defaultPeers: readonly PeerId[] = peers
  .filter(({ backend }) => backend === undefined)
  .map(({ id }) => id)
  .filter((id) => id !== 'bare' && id !== 'distribution-3-plain')

/** Those of a quick run. */
export const quickPeers: readonly PeerId[] = ['openregistry', 'openregistry-pg-2', 'distribution-3', 'zot']

/** A peer that is here. */
export interface FoundPeer {
  peer: Peer
  program: string
  version: string
}

/** Looks for the wanted peers; tells `say` why one is left out. */
export async function findPeers(
  wanted: readonly PeerId[],
  say: (line: string) => void,
): Promise<FoundPeer[]> {
  const found: FoundPeer[] = []
  for (const peer of peers.filter(({ id }) => wanted.includes(id))) {
    const result = await peer.find()
    if ('missing' in result) say(`${peer.label} is left out: ${result.missing}`)
    else found.push({ peer, ...result })
  }
  return found
}
