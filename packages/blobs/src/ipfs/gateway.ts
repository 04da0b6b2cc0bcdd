import { RegistryError } from '@openregistry/oci'
import type { Cid } from '@openregistry/dag'
import type { SpanSource } from '../reading/span-reader.ts'
import { refusalOf } from './answer-lines.ts'
import type { HttpAnswer, HttpPeer } from './http-peer.ts'
import { PeerUnreachable } from './peer-fault.ts'
import { persistently } from './retrying.ts'

/** How to read through a gateway. */
export interface GatewayOptions {
  /** The gateway, looked up again for each attempt, since a node may come back elsewhere. */
  peer: () => Promise<HttpPeer>
  /** Whether only the node itself is asked, never the network behind it. */
  local: boolean
  /** Milliseconds after the first attempt in which another one may begin. */
  retryWithin: number
}

/** The gateway of a node: the fast way to read, in ranges. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #headers: Record<string, string>

  constructor(options: GatewayOptions) {
    this.#options = options
    // Without this a node asks the network for what it has not got, and waits.
    this.#headers = options.local ? { 'cache-control': 'only-if-cached' } : {}
  }

  /**
   * Whether the node has the root of this file, so that it can be read; its leaves are not looked at.
   * @throws RegistryError `STORAGE_UNAVAILABLE`.
   */
  async has(file: Cid): Promise<boolean> {
    return this.#again(async (peer) => {
      const answer = await peer.ask({ method: 'HEAD', path: `/ipfs/${file}`, headers: this.#headers })
      if (answer.status === 200 || answer.status === 412) {
        for await (const _ of answer.chunks);
        return answer.status === 200
      }
      throw await refusalOf(answer)
    })
  }

  /** Whether the gateway answers at all, by the identity CID of nothing, which every gateway has. One attempt. */
  async probe(timeout: number): Promise<void> {
    const peer = await this.#options.peer()
    const answer = await peer.ask({ method: 'HEAD', path: '/ipfs/bafkqaaa', timeout })
    if (answer.status !== 200) throw await refusalOf(answer)
    for await (const _ of answer.chunks);
  }

  /** A file of `size` bytes to read from. */
  source(file: Cid, size: number): SpanSource {
    const abandoned = new AbortController()
    return {
      read: (target, length, position) =>
        this.#read(file, { target, length, position, size }, abandoned.signal),
      abandon: () =>
        abandoned.abort(new RegistryError('INTERNAL', 'An object was read after it was closed.')),
      close: () => Promise.resolve(),
    }
  }

  /**
   * Reads a range whole into memory, whatever its consumer does meanwhile: a gateway that cannot get rid of its bytes for
   * a while gives up, and writes an excuse in between them.
   */
  async #read(
    file: Cid,
    {
      target,
      length,
      position,
      size,
    }: { target: Uint8Array; length: number; position: number; size: number },
    signal: AbortSignal,
  ): Promise<number> {
    const last = position + length - 1
    const headers = { ...this.#headers, range: `bytes=${position}-${last}` }
    return this.#again(async (peer) => {
      const answer = await peer.ask({ method: 'GET', path: `/ipfs/${file}`, headers, signal })
      const stop = (): void => answer.discard()
      signal.addEventListener('abort', stop, { once: true })
      try {
        if (!(await isRange(answer, `bytes ${position}-${last}/${size}`, length === size)))
          throw await refusalOf(answer)
        await fill(target.subarray(0, length), answer)
        return length
      } catch (error) {
        answer.discard()
        throw error
      } finally {
        signal.removeEventListener('abort', stop)
      }
    }, signal)
  }

  #again<T>(attempt: (peer: HttpPeer) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { peer, retryWithin } = this.#options
    return persistently(async () => attempt(await peer()), { within: retryWithin, signal })
  }
}

/** Whether an answer has the range that was asked for. @throws PeerUnreachable when it claims to and has another one. */
async function isRange(answer: HttpAnswer, range: string, whole: boolean): Promise<boolean> {
  if (answer.status === 200 && whole) return true
  if (answer.status !== 206) return false
  const found = answer.headers['content-range']
  if (found === range) return true
  throw new PeerUnreachable(`The gateway answered with ${found ?? 'no range'} instead of ${range}.`)
}

async function fill(target: Uint8Array, answer: HttpAnswer): Promise<void> {
  let filled = 0
  for await (const chunk of answer.chunks) {
    if (filled + chunk.length > target.length)
      throw new PeerUnreachable('The gateway answered with too many bytes.')
    target.set(chunk, filled)
    filled += chunk.length
  }
  if (filled < target.length) throw new PeerUnreachable('The gateway answered with too few bytes.')
}
