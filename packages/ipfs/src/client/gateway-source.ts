import { maxIpnsRecordSize } from '@openregistry/dag'
import { askPatiently } from './ask-patiently.ts'
import type { NamedSource } from './named-source.ts'

const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * A trustless gateway of anybody (IPFS HTTP gateway specification, "Trustless Gateway"), asked for raw blocks and for records
 * of names alone. What it gives is compared by whoever asks.
 * @param address for example `https://ipfs.example.org`; `/ipfs/` is below it.
 */
export function gatewaySource(address: string, ask: typeof fetch = fetch): NamedSource {
  const base = address.replace(/\/+$/, '')
  const get = (path: string, accept: string, most: number, signal?: AbortSignal) =>
    askPatiently(ask, `${base}${path}`, { headers: { Accept: accept }, most, passing, signal })
  return {
    name: new URL(base).host,
    block: (cid, size, signal) => get(`/ipfs/${cid}?format=raw`, 'application/vnd.ipld.raw', size, signal),
    record: async (name, signal) => {
      const type = 'application/vnd.ipfs.ipns-record'
      const routed = await get(`/routing/v1/ipns/${name}`, type, maxIpnsRecordSize, signal).catch(() => null)
      return routed ?? get(`/ipns/${name}?format=ipns-record`, type, maxIpnsRecordSize, signal)
    },
  }
}
