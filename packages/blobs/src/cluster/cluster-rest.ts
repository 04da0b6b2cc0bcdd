import { setTimeout as delay } from 'node:timers/promises'
import type { Cid } from '@openregistry/dag'
import { answerLines } from '../ipfs/answer-lines.ts'
import { slowestDisk } from '../ipfs/defaults.ts'
import type { HttpAsk, HttpPeer } from '../ipfs/http-peer.ts'
import { multipart } from '../ipfs/multipart.ts'
import type { CarOrder, WholeObject } from '../ipfs/object-dag.ts'
import { PeerRefusal, PeerUnreachable, saysFull } from '../ipfs/peer-fault.ts'
import type { PinService } from '../ipfs/pin-service.ts'
import { isKept, parseStatus, type PinStatus } from './pin-status.ts'

/** On how many peers a pin is to be. */
export interface Replication {
  /** Before the object is stored; null: on all that the cluster gives it to. */
  min: number | null
  /** In the end; null: as the cluster is configured. */
  max: number | null
}

/** Pauses between two looks at a pin that is not there yet, in milliseconds. */
const shortestPause = 20
const longestPause = 1000

/**
 * How long a pin may take, in milliseconds besides the time for its bytes, before the blocks are sent again. A node may have
 * collected them before the pin, and then it waits for them, and collects nothing meanwhile.
 */
const patience = 3000

/** What is first when they are sent again, in turns. */
const orders: readonly CarOrder[] = ['nodes first', 'nodes first', 'leaves first']

/** The calls of the REST API of IPFS Cluster that a blob store needs (ipfscluster.io, "REST API"). */
export class ClusterRest implements PinService {
  readonly #peer: HttpPeer
  readonly #replication: Replication
  readonly #settleWithin: number

  /** @param settleWithin milliseconds in which an object has to be pinned, besides the time for its bytes. */
  constructor(peer: HttpPeer, replication: Replication, settleWithin: number) {
    this.#peer = peer
    this.#replication = replication
    this.#settleWithin = settleWithin
  }

  /** What a peer says of itself and of its node. @throws PeerRefusal when the node behind it does not answer. */
  async checkPeer(timeout: number): Promise<void> {
    const peer = (await this.#one({ method: 'GET', path: '/id', timeout })) as PeerLine
    const error = peer.error || peer.ipfs?.error
    if (error) throw new PeerRefusal(200, error)
  }

  /** A pin of the whole cluster with the text as metadata: every peer has the list of pins, and there is no block to hold. */
  async pinEntry(cid: Cid, text: string): Promise<void> {
    const everywhere = { 'replication-min': '-1', 'replication-max': '-1' }
    await this.#one({
      method: 'POST',
      path: `/pins/${cid}?${queryOf({ ...everywhere, 'meta-entry': text })}`,
    })
  }

  async entryOf(cid: Cid): Promise<string | null> {
    const pin = (await this.#unlessMissing({ method: 'GET', path: `/allocations/${cid}` })) as PinLine | null
    return pin === null ? null : (pin.metadata?.['entry'] ?? '')
  }

  async *entries(): AsyncGenerator<string, void, undefined> {
    const answer = await this.#peer.ask({ method: 'GET', path: '/allocations' })
    for await (const line of answerLines(answer)) {
      const { cid } = line as PinLine
      if (cid !== undefined) yield cid
    }
  }

  async unpin(cid: Cid): Promise<void> {
    await this.#unlessMissing({ method: 'DELETE', path: `/pins/${cid}` })
  }

  /**
   * Sends the object to the peers that the cluster chooses, and waits until enough of them have pinned it. Unlike an import
   * into one node the blocks are not safe before that, so they are sent again when the pin does not come about. A peer puts
   * all blocks under the codec of the first one (ipfshttp.go, BlockStream), and a node that waits for a leaf is not told
   * that it came as something else: so every third time they are first.
   */
  async pinObject(object: WholeObject, signal?: AbortSignal): Promise<void> {
    const until = performance.now() + this.#settleWithin + object.size / slowestDisk
    for (let sending = 0; ; sending++) {
      await this.#add(object, orders[sending % orders.length], signal)
      const again = performance.now() + patience + object.size / slowestDisk
      try {
        return await this.#settled(object.pin, Math.min(until, again))
      } catch (error) {
        if (signal?.aborted === true || performance.now() >= until) throw error
      }
    }
  }

  async #add(object: WholeObject, order?: CarOrder, signal?: AbortSignal): Promise<void> {
    const { min, max } = this.#replication
    const query = queryOf({
      format: 'car',
      // Without a stream the answer comes at the end, and its status says how it went.
      'stream-channels': 'false',
      name: object.pin,
      // Cluster takes the two together alone; a least number by itself is ours to look after.
      ...(max === null ? {} : { 'replication-min': String(min ?? 1), 'replication-max': String(max) }),
    })
    const added = await this.#one({
      method: 'POST',
      path: `/add?${query}`,
      ...multipart(object.car(order)),
      ...(signal === undefined ? {} : { signal }),
      longer: object.size / slowestDisk,
    }).catch((error: unknown) => {
      throw awayBehind(error)
    })
    const roots = Array.isArray(added) ? (added as AddedLine[]) : []
    if (!roots.some(({ cid }) => cid === object.pin)) {
      throw new PeerUnreachable('IPFS Cluster did not say that it has the object.')
    }
  }

  /** Waits until a pin is on enough peers. @throws PeerRefusal with what peers say, when it is not in time. */
  async #settled(pin: Cid, until: number): Promise<void> {
    for (let pause = shortestPause; ; pause = Math.min(longestPause, pause * 2)) {
      const status = await this.status(pin)
      if (isKept(status, this.#replication.min)) return
      const errors = status.flatMap(({ peer, error }) => (error === '' ? [] : [`${peer}: ${error}`]))
      if (performance.now() >= until || status.some(({ state }) => state === 'failed'))
        throw new PeerRefusal(200, errors.join('; ') || 'too few peers have pinned the object in time')
      await delay(pause)
    }
  }

  /** How a pin does on each peer that should have it. */
  async status(pin: Cid): Promise<PinStatus[]> {
    return parseStatus(await this.#one({ method: 'GET', path: `/pins/${pin}` }))
  }

  async #unlessMissing(ask: HttpAsk): Promise<unknown> {
    try {
      return await this.#one(ask)
    } catch (error) {
      if (error instanceof PeerRefusal && error.status === 404) return null
      throw error
    }
  }

  async #one(ask: HttpAsk): Promise<unknown> {
    let first: unknown
    for await (const line of answerLines(await this.#peer.ask(ask))) first ??= line
    if (typeof first !== 'object' || first === null)
      throw new PeerUnreachable('IPFS Cluster answered with nothing.')
    return first
  }
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString()
}

interface PeerLine {
  error?: string
  ipfs?: { error?: string }
}

interface PinLine {
  cid?: string
  metadata?: Record<string, string>
}

interface AddedLine {
  cid?: string
}

/**
 * What a peer says that has come back and does not reach its node yet, or any other peer: a 500 like those that stay, but one
 * that passes.
 */
const reachesNobody = /failed to put block on all destinations/

function awayBehind(error: unknown): unknown {
  if (!(error instanceof PeerRefusal) || saysFull(error) || !reachesNobody.test(error.message)) return error
  return new PeerUnreachable('IPFS Cluster reaches no peer that takes a block.', { cause: error })
}
