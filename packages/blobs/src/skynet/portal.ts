import type { SpanSource } from '../reading/span-reader.ts'
import { refusalOf } from '../ipfs/answer-lines.ts'
import { connections } from '../ipfs/defaults.ts'
import { HttpPeer, type HttpAnswer, type HttpAsk } from '../ipfs/http-peer.ts'
import { multipart } from '../ipfs/multipart.ts'
import { PeerUnreachable } from '../ipfs/peer-fault.ts'
import { rangeSource } from '../ipfs/range-source.ts'
import type { SignedEntry } from './entry-key.ts'
import { asSkylink, type Skylink } from './skylink.ts'

/** How to reach a portal. */
export interface PortalOptions {
  /** Scheme, host and port. */
  url: string
  /** Value of the header `Skynet-Api-Key`, or null. */
  apiKey: string | null
  /** Milliseconds that it may stay silent while something is awaited from it. */
  timeout: number
  /** Milliseconds after the first attempt of a read in which another one may begin. */
  retryWithin: number
}

/** Bytes of an answer in JSON that is read. */
const longestAnswer = 64 * 1024

/** Statuses by which a portal says that it deletes nothing for us, or has nothing to delete. */
const undeleted: ReadonlySet<number> = new Set([401, 403, 404, 405, 410, 501])

/**
 * The API of a Skynet portal (skyd, "Skynet"): content by skylinks, and entries of the registry. Each call is one attempt;
 * only reads are tried again here.
 *
 * All throw PeerUnreachable and PeerRefusal.
 */
export class Portal implements Disposable {
  readonly #peer: HttpPeer
  readonly #headers: Readonly<Record<string, string>>
  readonly #retryWithin: number

  constructor({ url, apiKey, timeout, retryWithin }: PortalOptions) {
    this.#peer = new HttpPeer({ url, authorization: null, timeout, connections })
    this.#headers = apiKey === null ? {} : { 'skynet-api-key': apiKey }
    this.#retryWithin = retryWithin
  }

  /**
   * Stores content and pins it.
   * @param name becomes part of what is hashed: equal contents with other names have other skylinks, and pins of their own.
   * @param longer milliseconds that the answer may take longer than others, since it comes when hosts have the content.
   */
  async upload(
    name: string,
    content: AsyncIterable<Uint8Array>,
    { longer, signal }: { longer: number; signal?: AbortSignal | undefined },
  ): Promise<Skylink> {
    const { headers, body } = multipart(content, name)
    const path = `/skynet/skyfile?filename=${encodeURIComponent(name)}`
    const ask: HttpAsk = { method: 'POST', path, headers, body, longer }
    const answer = await this.#ask(signal === undefined ? ask : { ...ask, signal })
    const { skylink } = await membersOf(answer)
    const read = asSkylink(skylink)
    if (read === null) throw new PeerUnreachable('The portal answered to an upload without a skylink.')
    return read
  }

  /** Whether it would take an upload, without one. */
  async tryUpload(timeout: number): Promise<void> {
    const { headers, body } = multipart(single(Uint8Array.of(1)), 'probe')
    const path = '/skynet/skyfile?dryrun=true&filename=probe'
    await membersOf(await this.#ask({ method: 'POST', path, headers, body, timeout }))
  }

  /** The size of content in bytes; null when the portal does not find it. */
  async size(skylink: Skylink): Promise<number | null> {
    const answer = await this.#ask({ method: 'HEAD', path: `/${skylink}` })
    for await (const _ of answer.chunks);
    if (answer.status === 404) return null
    const length = answer.headers['content-length']
    if (answer.status === 200 && length !== undefined) return Number(length)
    throw await refusalOf(answer)
  }

  /** Content of `size` bytes to read from. */
  source(skylink: Skylink, size: number): SpanSource {
    const ask = (range: string, signal: AbortSignal): Promise<HttpAnswer> =>
      this.#ask({ method: 'GET', path: `/${skylink}`, headers: { range }, signal })
    return rangeSource({ size, who: 'The portal', ask, retryWithin: this.#retryWithin })
  }

  /** Lets content go. That a portal does not do this for us is no fault: it promises nothing of the kind. */
  async unpin(skylink: Skylink): Promise<void> {
    const answer = await this.#ask({ method: 'POST', path: `/skynet/unpin/${skylink}` })
    if (undeleted.has(answer.status)) answer.discard()
    else await expectDone(answer)
  }

  /** An entry of the registry as the portal has it; its signature is the caller's to check. Null when there is none. */
  async entry(
    publicKey: Uint8Array,
    dataKey: Uint8Array,
    { timeout }: { timeout?: number } = {},
  ): Promise<SignedEntry | null> {
    const query = new URLSearchParams({
      publickey: `ed25519:${publicKey.toHex()}`,
      datakey: dataKey.toHex(),
    })
    const ask: HttpAsk = { method: 'GET', path: `/skynet/registry?${query.toString()}` }
    const answer = await this.#ask(timeout === undefined ? ask : { ...ask, timeout })
    if (answer.status === 404) {
      answer.discard()
      return null
    }
    const { data, revision, signature } = await membersOf(answer)
    if (typeof data !== 'string' || typeof signature !== 'string' || !Number.isSafeInteger(revision)) {
      throw new PeerUnreachable('The portal answered with an entry that is none.')
    }
    return {
      data: Buffer.from(data, 'hex'),
      revision: revision as number,
      signature: Buffer.from(signature, 'hex'),
    }
  }

  /** Sends an entry. */
  async putEntry(publicKey: Uint8Array, dataKey: Uint8Array, entry: SignedEntry): Promise<void> {
    const body = JSON.stringify({
      publickey: { algorithm: 'ed25519', key: [...publicKey] },
      datakey: dataKey.toHex(),
      revision: entry.revision,
      data: [...entry.data],
      signature: [...entry.signature],
    })
    const headers = { 'content-type': 'application/json' }
    await expectDone(
      await this.#ask({ method: 'POST', path: '/skynet/registry', headers, body: single(Buffer.from(body)) }),
    )
  }

  [Symbol.dispose](): void {
    this.#peer.close()
  }

  #ask(ask: HttpAsk): Promise<HttpAnswer> {
    return this.#peer.ask({ ...ask, headers: { ...this.#headers, ...ask.headers } })
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

async function expectDone(answer: HttpAnswer): Promise<void> {
  if (answer.status < 200 || answer.status > 299) throw await refusalOf(answer)
  for await (const _ of answer.chunks);
}

/** The members of an answer in JSON. */
async function membersOf(answer: HttpAnswer): Promise<Readonly<Record<string, unknown>>> {
  if (answer.status < 200 || answer.status > 299) throw await refusalOf(answer)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.chunks) {
    size += chunk.length
    if (size > longestAnswer) throw new PeerUnreachable('The answer of the portal has no end.')
    chunks.push(Uint8Array.from(chunk))
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new PeerUnreachable('The answer of the portal is no JSON.', { cause })
  }
  throw new PeerUnreachable('The answer of the portal is no object.')
}
