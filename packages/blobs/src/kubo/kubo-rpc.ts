import type { Cid } from '@openregistry/dag'
import { answerLines } from '../ipfs/answer-lines.ts'
import { slowestDisk } from '../ipfs/defaults.ts'
import type { HttpPeer } from '../ipfs/http-peer.ts'
import { multipart } from '../ipfs/multipart.ts'
import type { WholeObject } from '../ipfs/object-dag.ts'
import { PeerRefusal, PeerUnreachable } from '../ipfs/peer-fault.ts'
import type { PinService } from '../ipfs/pin-service.ts'

/** What Kubo says of a pin that is not there, or only as part of another one. */
const notPinned = /is not pinned|not pinned or pinned indirectly/

/** Query parameters; several values of one name are several arguments. */
type Parameters = Readonly<Record<string, string>>

/** The calls of Kubo's RPC API that a blob store needs (docs.ipfs.tech, "Kubo RPC API"). */
export class KuboRpc implements PinService {
  readonly #peer: HttpPeer

  constructor(peer: HttpPeer) {
    this.#peer = peer
  }

  /** An entry of Kubo's configuration. */
  async config(key: string): Promise<unknown> {
    const { Value } = await this.#one<{ Value?: unknown }>('config', { arg: key })
    return Value
  }

  /** A direct pin, whose name is the text: the index is the list of direct pins. */
  async pinEntry(cid: Cid, name: string, timeout?: number): Promise<void> {
    await this.#one('pin/add', { arg: cid, recursive: 'false', name, ...unannounced }, timeout)
  }

  async entryOf(cid: Cid): Promise<string | null> {
    try {
      const parameters = { arg: cid, type: 'direct', names: 'true' }
      const { Keys } = await this.#one<{ Keys?: Record<string, { Name?: string }> }>('pin/ls', parameters)
      return Keys?.[cid]?.Name ?? null
    } catch (error) {
      if (error instanceof PeerRefusal && notPinned.test(error.message)) return null
      throw error
    }
  }

  async unpin(cid: Cid): Promise<void> {
    try {
      await this.#one('pin/rm', { arg: cid })
    } catch (error) {
      if (!(error instanceof PeerRefusal && notPinned.test(error.message))) throw error
    }
  }

  async *entries(): AsyncGenerator<string, void, undefined> {
    for await (const line of this.#call('pin/ls', { type: 'direct', stream: 'true' })) {
      const { Cid: cid } = line as { Cid?: string }
      if (cid !== undefined) yield cid
    }
  }

  /**
   * Imports the object as a CAR. Kubo collects no garbage between the first block and the pin, and walks through all
   * blocks before it says that it pinned them.
   */
  async pinObject(object: Pick<WholeObject, 'pin' | 'size' | 'car'>, signal?: AbortSignal): Promise<void> {
    const { pin: root, size } = object
    let pinned = false
    let complete = false
    const parameters = { 'pin-roots': 'true', stats: 'true' }
    const options = { car: object.car(), signal, longer: size / slowestDisk }
    for await (const line of this.#call('dag/import', parameters, options)) {
      const { Root, Stats } = line as ImportLine
      if (Root !== undefined) {
        if (Root.PinErrorMsg !== undefined && Root.PinErrorMsg !== '')
          throw new PeerRefusal(200, Root.PinErrorMsg)
        pinned ||= Root.Cid?.['/'] === root
      }
      complete ||= Stats !== undefined
    }
    // An answer without its last lines is a 200, too.
    if (!pinned || !complete) throw new PeerUnreachable('Kubo did not say that it pinned the object.')
  }

  /** Gives a recursive pin, whose blocks are all there, a name. */
  async namePin(cid: Cid, name: string): Promise<void> {
    await this.#one('pin/add', { arg: cid, recursive: 'true', name, ...unannounced })
  }

  /** Recursive pins of exactly this name. */
  async pinsNamed(name: string): Promise<Cid[]> {
    const found: Cid[] = []
    const parameters = { type: 'recursive', names: 'true', name, stream: 'true' }
    for await (const line of this.#call('pin/ls', parameters)) {
      const { Cid: cid, Name } = line as { Cid?: Cid; Name?: string }
      if (cid !== undefined && Name === name) found.push(cid)
    }
    return found
  }

  /**
   * Has Kubo know the record of a name, and tell others if there are any.
   * @returns whether it answers with it: without the DHT (`Routing.Type`) it forgets records, and says nothing of that.
   */
  async putRecord(name: string, record: Uint8Array): Promise<boolean> {
    const content = (async function* () {
      yield await Promise.resolve(record)
    })()
    for await (const _ of this.#call(
      'routing/put',
      { arg: `/ipns/${name}`, 'allow-offline': 'true' },
      { car: content },
    ));
    try {
      const { Extra } = await this.#one<{ Extra?: string }>('routing/get', { arg: `/ipns/${name}` })
      return Extra === Buffer.from(record).toString('base64')
    } catch (error) {
      if (error instanceof PeerRefusal) return false
      throw error
    }
  }

  async #one<T>(call: string, parameters: Parameters, timeout?: number): Promise<T> {
    let first: unknown
    for await (const line of this.#call(call, parameters, { timeout })) first ??= line
    if (typeof first !== 'object' || first === null)
      throw new PeerUnreachable(`Kubo answered ${call} with nothing.`)
    return first as T
  }

  async *#call(
    call: string,
    parameters: Parameters,
    { car, signal, timeout, longer }: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    const form = car === undefined ? null : multipart(car)
    const answer = await this.#peer.ask({
      method: 'POST',
      path: `/api/v0/${call}?${new URLSearchParams(parameters).toString()}`,
      ...form,
      ...(signal === undefined ? {} : { signal }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(longer === undefined ? {} : { longer }),
    })
    yield* answerLines(answer)
  }
}

/** Whatever Kubo announces of its own accord: a pin of the index says nothing to anybody else. */
const unannounced = { 'fast-provide-root': 'false' }

interface CallOptions {
  car?: AsyncIterable<Uint8Array> | undefined
  signal?: AbortSignal | undefined
  timeout?: number | undefined
  longer?: number | undefined
}

interface ImportLine {
  Root?: { Cid?: { '/'?: string }; PinErrorMsg?: string }
  Stats?: object
}
