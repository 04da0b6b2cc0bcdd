import type { Cid } from '@openregistry/dag'
import { authorizationOf } from '../ipfs/api-token.ts'
import { connections, defaultTimeout } from '../ipfs/defaults.ts'
import { HttpPeer } from '../ipfs/http-peer.ts'
import { PeerRefusal, PeerUnreachable } from '../ipfs/peer-fault.ts'
import { KuboRpc } from './kubo-rpc.ts'

/** A CAR that Kubo is to keep as the newest of its name. */
export interface NamedCar {
  root: Cid
  /** Of the CAR in bytes. */
  size: number
  car: () => AsyncIterable<Uint8Array>
  /** The name in IPNS that leads to it, and the record that says so. */
  ipns: string
  record: Uint8Array
}

/** What Kubo did with it. */
export interface PinnedCar {
  /** Older ones of this name that were let go. */
  unpinned: Cid[]
  /** Whether it answers for the name. */
  named: boolean
}

/**
 * Has a Kubo node keep a CAR with everything in it, and lead to it by a name; what it kept under that name before is let go
 * afterwards, so at every moment there is one. Blocks that both have are kept once.
 * @param options scheme, host and port of its RPC API, and what that asks for.
 * @throws Error with Kubo's words.
 */
export async function pinSnapshot(
  { apiUrl, apiToken = null }: { apiUrl: string; apiToken?: string | null },
  { root, size, car, ipns, record }: NamedCar,
): Promise<PinnedCar> {
  const url = new URL(apiUrl).origin
  const peer = new HttpPeer({
    url,
    authorization: authorizationOf(apiToken),
    timeout: defaultTimeout,
    connections,
  })
  try {
    const kubo = new KuboRpc(peer)
    const name = `openregistry snapshot ${ipns}`
    await kubo.pinObject({ pin: root, size, car })
    await kubo.namePin(root, name)
    const unpinned: Cid[] = []
    for (const older of await kubo.pinsNamed(name)) {
      if (older === root) continue
      await kubo.unpin(older)
      unpinned.push(older)
    }
    return { unpinned, named: await kubo.putRecord(ipns, record) }
  } catch (cause) {
    if (!(cause instanceof PeerRefusal) && !(cause instanceof PeerUnreachable)) throw cause
    throw new Error(`Kubo at ${url} did not take the snapshot: ${cause.message}`, { cause })
  } finally {
    peer.close()
  }
}
