/** What a client of the DHT uses of libp2p, which is loaded where there is a node. */
export async function loadLibp2pParts() {
  const [{ peerIdFromMultihash }, { byteStream, isPrivate }] = await Promise.all([
    import('@libp2p/peer-id'),
    import('@libp2p/utils'),
  ])
  return { peerIdFromMultihash, byteStream, isPrivate }
}

export type Libp2pParts = Awaited<ReturnType<typeof loadLibp2pParts>>
