/** Whoever has a place in the network: its distance to a key is that of this place. */
export interface Placed {
  /** SHA-256 of the peer ID; 32 bytes. */
  readonly place: Uint8Array
}

/** What is looked for. */
export interface Lookup<P extends Placed> {
  /** SHA-256 of the key; 32 bytes. */
  readonly target: Uint8Array
  /** Who is asked first. */
  readonly start: readonly P[]
  /** Asks a peer for others that are closer. Null: it does not answer. */
  ask(peer: P): Promise<readonly P[] | null>
  /** Aborts the lookup. */
  readonly signal: AbortSignal
  /** Ends it, too, with those that have answered by then. What is being asked has to end with it. */
  readonly enough: AbortSignal
}

/** How many closest peers there are to a key: those that keep what is said about it (kad-dht, `k`). */
export const closestCount = 20

/** Peers that are asked at the same time (`α`). */
const parallel = 4

/** Peers that are asked in all. Whoever is always told of closer ones is being led about. */
const askedAtMost = 100

/** Peers that are remembered: some beyond the closest ones, since many do not answer. */
const rememberedAtMost = 5 * closestCount

/**
 * Finds the peers that are closest to a key: the closest ones that are known are asked for closer ones, until all of the
 * closest have been asked (kad-dht, "Peer routing").
 * @returns those that answered, the closest first.
 * @throws the reason of the signal when it aborts.
 */
export async function closestPeers<P extends Placed>(lookup: Lookup<P>): Promise<P[]> {
  const { ask, signal, enough } = lookup
  const candidates = new Candidates<P>(lookup.target)
  candidates.add(lookup.start)
  const running = new Set<Promise<void>>()
  for (let asked = 0; ;) {
    signal.throwIfAborted()
    const mayAsk = running.size < parallel && asked < askedAtMost && !enough.aborted
    const next = mayAsk ? candidates.next() : undefined
    if (next !== undefined) {
      asked++
      const run = ask(next.peer)
        .then((closer) => {
          next.state = closer === null ? 'silent' : 'answered'
          candidates.add(closer ?? [])
        })
        .finally(() => running.delete(run))
      running.add(run)
    } else if (running.size === 0) return candidates.answered()
    else await Promise.race(running)
  }
}

interface Candidate<P> {
  readonly peer: P
  readonly distance: Uint8Array
  state: 'new' | 'asked' | 'answered' | 'silent'
}

/** Peers in the order of their distance. */
class Candidates<P extends Placed> {
  readonly #target: Uint8Array
  readonly #sorted: Candidate<P>[] = []

  constructor(target: Uint8Array) {
    this.#target = target
  }

  add(peers: readonly P[]): void {
    for (const peer of peers) {
      const distance = xor(peer.place, this.#target)
      const at = this.#indexOf(distance)
      const there = this.#sorted[at]
      if (there !== undefined && Buffer.compare(there.distance, distance) === 0) continue
      this.#sorted.splice(at, 0, { peer, distance, state: 'new' })
      if (this.#sorted.length > rememberedAtMost) this.#sorted.pop()
    }
  }

  /** The closest one that has not been asked, if it is among the closest of those that may answer. */
  next(): Candidate<P> | undefined {
    let closer = 0
    for (const candidate of this.#sorted) {
      if (closer === closestCount) return undefined
      if (candidate.state === 'new') {
        candidate.state = 'asked'
        return candidate
      }
      if (candidate.state !== 'silent') closer++
    }
    return undefined
  }

  answered(): P[] {
    const peers = this.#sorted.filter(({ state }) => state === 'answered').map(({ peer }) => peer)
    return peers.slice(0, closestCount)
  }

  /** Where the first one is that is not closer than this. */
  #indexOf(distance: Uint8Array): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (Buffer.compare(this.#sorted[middle]!.distance, distance) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0))
}
