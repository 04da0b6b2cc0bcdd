/** How a pin does on one peer. */
export interface PinStatus {
  /** The name of the peer. */
  peer: string
  /** `away`: the peer does not answer, so nothing is known. */
  state: 'pinned' | 'on its way' | 'failed' | 'away'
  /** What the peer says is wrong; empty when it says nothing. */
  error: string
}

const states: Readonly<Record<string, PinStatus['state'] | null>> = {
  pinned: 'pinned',
  pinning: 'on its way',
  pin_queued: 'on its way',
  // For a moment a peer may not know yet what it is to pin.
  unpinned: 'on its way',
  unexpectedly_unpinned: 'on its way',
  pin_error: 'failed',
  cluster_error: 'away',
  // Another peer has it.
  remote: null,
}

/** Reads the answer of `/pins/<cid>`: each peer that has the pin, or should have it. */
export function parseStatus(answer: unknown): PinStatus[] {
  const { peer_map: peers = {} } = answer as StatusAnswer
  return Object.entries(peers).flatMap(([id, { peername, status = '', error = '' }]) => {
    const state = status in states ? states[status] : 'on its way'
    return state == null ? [] : [{ peer: peername || id, state, error }]
  })
}

/**
 * Whether a pin is on enough peers. Without a number all have to have it that answer: a cluster that pins everywhere takes
 * objects while a peer is away, and that peer pins them when it is back.
 * @param min how many, or null.
 */
export function isKept(status: readonly PinStatus[], min: number | null): boolean {
  const pinned = status.filter(({ state }) => state === 'pinned').length
  if (min !== null) return pinned >= min
  return pinned > 0 && status.every(({ state }) => state === 'pinned' || state === 'away')
}

interface StatusAnswer {
  peer_map?: Record<string, { peername?: string; status?: string; error?: string }>
}
