import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closestCount, closestPeers, type Placed } from './closest-peers.ts'

interface Peer extends Placed {
  number: number
}

const { signal } = new AbortController()
const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest()
const peerOf = (number: number): Peer => ({ number, place: hash(`peer ${number}`) })

function byDistance(target: Uint8Array): (a: Placed, b: Placed) => number {
  const distance = ({ place }: Placed): Uint8Array => place.map((byte, at) => byte ^ target[at]!)
  return (a, b) => Buffer.compare(distance(a), distance(b))
}

/** Peers that know the neighbours of each other, and some far away, as in a real network. */
function networkOf(size: number): { peers: Peer[]; toldBy: (peer: Peer, target: Uint8Array) => Peer[] } {
  const peers = Array.from({ length: size }, (_, number) => peerOf(number))
  const known = peers.map((peer) => {
    const near = peers.toSorted(byDistance(peer.place)).slice(1, 41)
    return [...near, ...peers.filter(({ number }) => (number * 7 + peer.number) % 16 === 0)]
  })
  return {
    peers,
    toldBy: ({ number }, target) => known[number]!.toSorted(byDistance(target)).slice(0, closestCount),
  }
}

describe('the closest peers', () => {
  const size = 200
  const { peers, toldBy } = networkOf(size)

  /** Looks for a key, beginning at one peer, while others do not answer. */
  async function lookFor(key: string, first: number, silent: ReadonlySet<number>): Promise<number[]> {
    const target = hash(key)
    const found = await closestPeers({
      ...{ target, signal, enough: signal, start: [peers[first]!] },
      ask: (peer) => Promise.resolve(silent.has(peer.number) ? null : toldBy(peer, target)),
    })
    return found.map(({ number }) => number)
  }

  test('are found from wherever the lookup begins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: size - 1 }), fc.string(), async (first, key) => {
        const closest = peers.toSorted(byDistance(hash(key))).slice(0, closestCount)
        expect(await lookFor(key, first, new Set())).toEqual(closest.map(({ number }) => number))
      }),
      { numRuns: 30 },
    )
  })

  test('are those that answer: of whom the others tell in place of those that do not', async () => {
    const numbers = fc.nat({ max: size - 1 })
    const cases = fc.tuple(numbers, fc.string(), fc.uniqueArray(numbers, { maxLength: size / 8 }))
    await fc.assert(
      fc.asyncProperty(cases, async ([first, key, gone]) => {
        const silent = new Set(gone.filter((number) => number !== first))
        const alive = peers.filter(({ number }) => !silent.has(number)).toSorted(byDistance(hash(key)))
        const found = await lookFor(key, first, silent)
        // Each tells of twenty, whether they are there or not, so the last ones may be others.
        expect(found.slice(0, 10)).toEqual(alive.slice(0, 10).map(({ number }) => number))
        expect(found.filter((number) => silent.has(number))).toEqual([])
      }),
      { numRuns: 30 },
    )
  })

  test('are looked for by asking a few at a time', async () => {
    const target = hash('key')
    let [running, most] = [0, 0]
    await closestPeers({
      ...{ target, signal, enough: signal, start: peers.slice(0, 20) },
      ask: async (peer) => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        return toldBy(peer, target)
      },
    })
    expect(most).toBe(4)
  })

  test('are not looked for without end when somebody always knows of closer ones', async () => {
    let last = 0
    const target = hash('key')
    const liar = (): Peer[] => Array.from({ length: 100 }, () => peerOf(1000 + last++))
    const found = await closestPeers({
      ...{ target, signal, enough: signal, start: liar() },
      ask: () => Promise.resolve(liar()),
    })
    expect(last).toBeLessThanOrEqual(101 * 100)
    expect(found).toHaveLength(closestCount)
  })

  test('are nobody where nobody answers, and nobody is asked twice', async () => {
    const asked: number[] = []
    const ask = ({ number }: Peer): Promise<null> => {
      asked.push(number)
      return Promise.resolve(null)
    }
    const start = [...peers.slice(0, 5), ...peers.slice(0, 5)]
    expect(await closestPeers({ target: hash('key'), signal, enough: signal, start, ask })).toEqual([])
    expect(asked.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
  })

  test('are those that were found when it takes too long, whoever says nothing', async () => {
    const time = new AbortController()
    const answers = new Set(peers.slice(0, 3).map(({ number }) => number))
    const asked: number[] = []
    const ask = ({ number }: Peer): Promise<Peer[] | null> => {
      asked.push(number)
      if (answers.has(number)) return Promise.resolve(peers.slice(0, 50))
      return new Promise((resolve) => time.signal.addEventListener('abort', () => resolve(null)))
    }
    const target = hash('key')
    const looked = closestPeers({ target, signal, enough: time.signal, start: peers.slice(0, 3), ask })
    await expect.poll(() => asked.length).toBe(7)
    time.abort()
    expect(new Set((await looked).map(({ number }) => number))).toEqual(answers)
    expect(asked).toHaveLength(7)
  })

  test('are not looked for any more once the signal aborts', async () => {
    const stop = new AbortController()
    const ask = (peer: Peer): Promise<Peer[]> => {
      stop.abort(new Error('enough'))
      return Promise.resolve(toldBy(peer, hash('key')))
    }
    const lookup = { target: hash('key'), signal: stop.signal, enough: signal, start: peers.slice(0, 1), ask }
    await expect(closestPeers(lookup)).rejects.toThrow('enough')
  })
})
