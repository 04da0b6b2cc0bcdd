import { cidParts, maxBlockSize, sha256Code, type Cid } from '@openregistry/dag'
import type { PeerAddress } from '../../client/peer-address.ts'
import type { NamedSource } from '../../client/named-source.ts'
import { BitswapError } from '../bitswap/bitswap-error.ts'
import { ByteBudget } from '../bitswap/byte-budget.ts'
import type { BlockConnection } from './block-connection.ts'
import { ConnectionLost } from './connection-lost.ts'
import { orStop } from './or-stop.ts'

/** Bytes of blocks that are under way from one peer: 16 leaves, or 8 of which the size is not known. */
const underWay = 16 * 2 ** 20

/** How often a block is asked for when the connection is lost meanwhile. */
const attempts = 2

/** How a peer is reached. */
export interface PeerSourceOptions {
  /** Connects to it, in a bounded time; what it throws says why not. */
  readonly connect: () => Promise<BlockConnection>
  /** Milliseconds for which nothing is asked of a peer that was not there, or did not keep to the protocol. */
  readonly rest: number
}

/**
 * A peer of the network as somebody who may have blocks. It is connected to at the first question. Blocks are compared with
 * their hashes as they come, and few are under way at a time.
 */
export class PeerSource implements NamedSource {
  readonly name: string
  readonly #options: PeerSourceOptions
  readonly #room = new ByteBudget(underWay)
  #connected: BlockConnection | null = null
  #connecting: Promise<BlockConnection> | null = null
  #fault: { error: unknown; until: number } | null = null

  constructor({ host }: PeerAddress, options: PeerSourceOptions) {
    this.name = `the peer at ${host}`
    this.#options = options
  }

  async block(cid: Cid, size: number, signal?: AbortSignal): Promise<Uint8Array | null> {
    const { hash, digest } = cidParts(cid)
    if (hash !== sha256Code || digest.length !== 32) return null
    using _ = await this.#room.take(Math.min(size, maxBlockSize))
    for (let attempt = 1; ; attempt++) {
      const connection = await orStop(this.#connection(), signal)
      try {
        const bytes = await connection.block(cid, signal)
        if (bytes === null || bytes.length <= size) return bytes
        throw new Error(`it gives more than the ${size} bytes that were asked for`)
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof ConnectionLost && attempt < attempts) continue
        const fault = explained(error)
        if (connection.fault === error) this.#rest(fault)
        throw fault
      }
    }
  }

  /** Names lead nowhere here: Bitswap has blocks alone. */
  record(): Promise<never> {
    return Promise.reject(new Error('peers are asked for blocks alone, not for names'))
  }

  /** The connection that is there, or a new one, for which all who need it wait. */
  async #connection(): Promise<BlockConnection> {
    if (this.#connected?.fault === null) return this.#connected
    if (this.#fault !== null && performance.now() < this.#fault.until) throw this.#fault.error
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null))
    return this.#connecting
  }

  async #connect(): Promise<BlockConnection> {
    try {
      return (this.#connected = await this.#options.connect())
    } catch (error) {
      this.#rest(error)
      throw error
    }
  }

  /** Whoever has thousands of blocks to ask for would else wait for each of them. */
  #rest(error: unknown): void {
    this.#fault = { error, until: performance.now() + this.#options.rest }
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof BitswapError)) return error
  return new Error(`it does not keep to Bitswap (${error.message.replace(/\.$/, '')})`, { cause: error })
}
