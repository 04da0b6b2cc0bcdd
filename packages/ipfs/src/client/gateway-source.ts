import { setTimeout as pause } from 'node:timers/promises'
import type { BlockSource } from '@openregistry/core'

/** Milliseconds that one block may take: Kubo looks for what nobody has for ever. */
const patience = 30_000

/** What may pass, how often it is tried once more, and milliseconds before that; doubled the second time. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
const attempts = 3
const firstPause = 500

/**
 * A trustless gateway (IPFS HTTP gateway specification, "Trustless Gateway"), asked for raw blocks alone. What it gives is
 * compared by whoever asks.
 * @param address for example `https://ipfs.example.org`; blocks are below `/ipfs/` there.
 */
export function gatewaySource(address: string, ask: typeof fetch = fetch): BlockSource {
  const base = address.replace(/\/+$/, '')
  return {
    name: new URL(base).host,
    async block(cid, size, signal) {
      const late = AbortSignal.timeout(patience)
      const both = signal === undefined ? late : AbortSignal.any([signal, late])
      for (let attempt = 1; ; attempt++) {
        const response = await ask(`${base}/ipfs/${cid}?format=raw`, {
          headers: { Accept: 'application/vnd.ipld.raw' },
          signal: both,
        })
        if (response.status === 200) return await readBlock(response, size)
        await response.body?.cancel()
        if (response.status === 404 || response.status === 410) return null
        if (attempt === attempts || !passing.has(response.status))
          throw new Error(`it answers with status ${response.status}`)
        await pause(firstPause * 2 ** (attempt - 1), undefined, { signal: both })
      }
    },
  }
}

/** The body, no more of it than a block of this size has. */
async function readBlock(response: Response, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let at = 0
  for await (const chunk of response.body ?? []) {
    if (at + chunk.length > size) throw new Error(`it gives more than the ${size} bytes of the block`)
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes.subarray(0, at)
}
