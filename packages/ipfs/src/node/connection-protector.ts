/** What lets a node talk to those alone that have the same `swarm.key`; null without one. @throws Error when it is none. */
export async function connectionProtector(psk: Uint8Array | null) {
  if (psk === null) return null
  const { preSharedKey } = await import('@libp2p/pnet')
  return preSharedKey({ psk })
}
