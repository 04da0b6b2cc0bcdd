import { maxIpnsRecordSize } from '@openregistry/dag'
import { askPatiently } from './ask-patiently.ts'
import type { NamedSource } from './named-source.ts'

/** Kubo says with status 500 what it does not have, too, so that does not pass. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504])

/** Bytes of the answer that has a record in it, in base64 and JSON. */
const longestAnswer = 64 * 1024

/**
 * The RPC API of a Kubo node, which is its owner's alone.
 * @param address for example `http://127.0.0.1:5001`.
 * @param authorization the header that it asks for, or null.
 */
export function kuboSource(
  address: string,
  authorization: string | null = null,
  ask: typeof fetch = fetch,
): NamedSource {
  const base = `${address.replace(/\/+$/, '')}/api/v0`
  // Kubo takes whoever looks like a browser for a foreign web page.
  const headers = {
    'User-Agent': 'openregistry',
    ...(authorization === null ? {} : { Authorization: authorization }),
  }
  const call = (path: string, most: number, signal?: AbortSignal) =>
    askPatiently(ask, `${base}/${path}`, { method: 'POST', headers, most, passing, signal })
  return {
    name: `Kubo at ${new URL(base).host}`,
    block: (cid, size, signal) => call(`block/get?arg=${cid}&timeout=25s`, size, signal),
    record: async (name, signal) => {
      const answer = await call(`routing/get?arg=/ipns/${name}`, longestAnswer, signal)
      if (answer === null) return null
      const { Extra } = JSON.parse(Buffer.from(answer).toString('utf8')) as { Extra?: unknown }
      const record = typeof Extra === 'string' ? new Uint8Array(Buffer.from(Extra, 'base64')) : null
      return record === null || record.length > maxIpnsRecordSize ? null : record
    },
  }
}
