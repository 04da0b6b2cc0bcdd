import { maxIpnsRecordSize, type Cid } from '@openregistry/dag'
import { setTimeout as pause } from 'node:timers/promises'
import { readBlockBody, type BlockProvider } from './block-provider.ts'

/** Milliseconds that one block may take: Kubo looks for what nobody has for ever. */
const patience = 30_000

/** What may pass, and milliseconds before it is tried again, doubled each time. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504])
const attempts = 4
const firstPause = 250

/** Somebody who has blocks, and knows names. */
export interface RemoteProvider extends BlockProvider {
  /** The record of a name, or null; whoever asks checks it. */
  record(name: string, signal?: AbortSignal): Promise<Uint8Array | null>
}

/**
 * A trustless gateway of anybody (IPFS HTTP gateway specification, "Trustless Gateway").
 * @param address for example `https://ipfs.example.org`; `/ipfs/` is below it.
 */
export function gatewayProvider(address: string, ask: typeof fetch = fetch): RemoteProvider {
  const base = address.replace(/\/+$/, '')
  const get = (path: string, accept: string, signal?: AbortSignal) =>
    patiently(ask, `${base}${path}`, { headers: { Accept: accept } }, signal)
  return {
    name: new URL(base).host,
    block: (cid: Cid, signal) => get(`/ipfs/${cid}?format=raw`, 'application/vnd.ipld.raw', signal),
    record: async (name, signal) => {
      const type = 'application/vnd.ipfs.ipns-record'
      const routed = await get(`/routing/v1/ipns/${name}`, type, signal).catch(() => null)
      return limited(routed ?? (await get(`/ipns/${name}?format=ipns-record`, type, signal)))
    },
  }
}

/**
 * The RPC API of a Kubo node, which is its owner's alone.
 * @param address for example `http://127.0.0.1:5001`.
 * @param authorization the header that it asks for, or null.
 */
export function kuboProvider(
  address: string,
  authorization: string | null = null,
  ask: typeof fetch = fetch,
): RemoteProvider {
  const base = `${address.replace(/\/+$/, '')}/api/v0`
  // Kubo takes whoever looks like a browser for a foreign web page.
  const headers = {
    'User-Agent': 'openregistry',
    ...(authorization === null ? {} : { Authorization: authorization }),
  }
  const call = (path: string, signal?: AbortSignal) =>
    patiently(ask, `${base}/${path}`, { method: 'POST', headers }, signal)
  return {
    name: `Kubo at ${new URL(base).host}`,
    block: (cid, signal) => call(`block/get?arg=${cid}&timeout=25s`, signal),
    record: async (name, signal) => {
      const answer = await call(`routing/get?arg=/ipns/${name}`, signal)
      if (answer === null) return null
      const { Extra } = JSON.parse(Buffer.from(answer).toString('utf8')) as { Extra?: unknown }
      return typeof Extra === 'string' ? limited(Buffer.from(Extra, 'base64')) : null
    },
  }
}

function limited(record: Uint8Array | null): Uint8Array | null {
  return record === null || record.length > maxIpnsRecordSize ? null : new Uint8Array(record)
}

/** Asks, and once more when the fault may pass. Null for what is not there. */
async function patiently(
  ask: typeof fetch,
  url: string,
  request: RequestInit,
  signal?: AbortSignal,
): Promise<Uint8Array | null> {
  const late = AbortSignal.timeout(patience)
  const both = signal === undefined ? late : AbortSignal.any([signal, late])
  for (let attempt = 1; ; attempt++) {
    const response = await ask(url, { ...request, signal: both, redirect: 'error' })
    if (response.status === 200) return readBlockBody(response)
    const said = await beginningOf(response)
    if (response.status === 404 || response.status === 410) return null
    if (attempt === attempts || !passing.has(response.status)) {
      throw new Error(`it answers with status ${response.status}${said === '' ? '' : ` (${said})`}`)
    }
    await pause(firstPause * 2 ** (attempt - 1), undefined, { signal: both })
  }
}

/** What an answer says in its first bytes, on one line. */
async function beginningOf({ body }: Response): Promise<string> {
  for await (const chunk of body ?? []) {
    return Buffer.from(chunk.subarray(0, 200)).toString('utf8').replaceAll(/\s+/g, ' ').trim()
  }
  return ''
}
