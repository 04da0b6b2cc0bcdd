import type { ProviderRecord } from '@openregistry/ipfs'
import { reply, type Exchange, type Headers } from '../http/exchange.ts'
import { openToAll } from './cors.ts'

/** Seconds for which a client may remember what it was told: that somebody has it, and that nobody has it yet. */
const lifetimes = { found: 60, empty: 15 }

/**
 * Sends providers as one document, or as a line for each where the client asks for that (Delegated Routing V1,
 * "Streaming"). None is an empty list and no error.
 */
export function sendProviders(exchange: Exchange, providers: readonly ProviderRecord[]): void {
  const wantsLines = exchange.request.headers.accept?.includes('application/x-ndjson') === true
  const lifetime = providers.length > 0 ? lifetimes.found : lifetimes.empty
  const headers: Headers = {
    ...openToAll,
    'Content-Type': wantsLines ? 'application/x-ndjson' : 'application/json',
    'Cache-Control': `public, max-age=${lifetime}`,
    Vary: 'Accept, Host',
    'X-Content-Type-Options': 'nosniff',
  }
  const body = wantsLines
    ? providers.map((provider) => `${JSON.stringify(provider)}\n`).join('')
    : JSON.stringify({ Providers: providers })
  reply(exchange, 200, headers, body)
}
