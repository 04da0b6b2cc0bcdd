import { digestOf, type Image } from '@openregistry/testkit'
import { expect } from 'vitest'

/** A descriptor, or a manifest, of the form that nerdctl and the stargz snapshotter know. */
interface Located {
  digest: string
  size: number
  urls: string[]
  config: Located
  layers: Located[]
}

/**
 * What nerdctl asks of the Kubo node on its machine (stargz-snapshotter, `ipfs/client/client.go`), with the parameters that
 * it gives: the size of a file, a file or a piece of it, and a new file.
 */
export class NerdctlCalls {
  readonly #api: string

  constructor(api: string) {
    this.#api = api
  }

  async size(cid: string): Promise<number> {
    return ((await this.#call('files/stat', { arg: `/ipfs/${cid}` }).then(json)) as { Size: number }).Size
  }

  /** The fetcher for layers that are read while the container runs names offset and length. */
  async cat(cid: string, piece: { offset?: string; length?: string } = {}): Promise<Buffer> {
    const answer = await this.#call('cat', { arg: `/ipfs/${cid}`, ...piece })
    return Buffer.from(await answer.arrayBuffer())
  }

  async add(bytes: Buffer): Promise<string> {
    const body = new FormData()
    body.set('file', new Blob([new Uint8Array(bytes)]), 'file')
    const answer = await this.#call('add', { 'cid-version': '1', pin: 'true' }, body)
    return ((await json(answer)) as { Hash: string }).Hash
  }

  async #call(
    path: string,
    parameters: Record<string, string>,
    body: FormData | null = null,
  ): Promise<Response> {
    const query = new URLSearchParams(parameters).toString()
    const signal = AbortSignal.timeout(120_000)
    const answer = await fetch(`${this.#api}/api/v0/${path}?${query}`, { method: 'POST', body, signal })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
}

function json(answer: Response): Promise<unknown> {
  return answer.json()
}

/** Pulls an image with these calls, beginning with the descriptor under the CID, and compares it with what was pushed. */
export async function pullLikeNerdctl(
  calls: NerdctlCalls,
  cid: string,
  { manifest, blobs }: Image,
): Promise<void> {
  const fetched = async ({ urls, digest, size }: Located): Promise<Buffer> => {
    const of = urls.find((url) => url.startsWith('ipfs://'))!.slice('ipfs://'.length)
    expect(await calls.size(of)).toBe(size)
    const bytes = await calls.cat(of)
    expect(digestOf(bytes)).toBe(digest)
    const piece = { offset: String(size >> 1), length: '10' }
    expect((await calls.cat(of, piece)).equals(bytes.subarray(size >> 1, (size >> 1) + 10))).toBe(true)
    return bytes
  }
  const top = JSON.parse((await calls.cat(cid)).toString()) as Located
  const derived = await fetched(top)
  expect(derived.equals(manifest.bytes)).toBe(false)
  const { config, layers } = JSON.parse(derived.toString()) as Located
  const pulled = await Promise.all([config, ...layers].map(fetched))
  for (const [index, blob] of blobs.entries()) expect(pulled[index]!.equals(blob.bytes)).toBe(true)
  // A push by nerdctl makes the same file of the derived manifest.
  expect(`ipfs://${await calls.add(derived)}`).toBe(top.urls[0])
}
