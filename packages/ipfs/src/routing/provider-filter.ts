import { RegistryError } from '@openregistry/oci'
import { protocolsOf } from './multiaddr.ts'
import type { ProviderRecord } from './provider-record.ts'

/** What of the providers a client can use (IPIP-484). */
export interface ProviderFilter {
  readonly addrs: readonly string[]
  readonly protocols: readonly string[]
}

/** Names in one filter; clients send three. */
const limit = 50
const form = /^!?[a-z0-9/._-]{1,100}$/

/**
 * Reads `filter-addrs` and `filter-protocols`.
 * @throws RegistryError `PARAMETER_INVALID`.
 */
export function providerFilter(query: URLSearchParams): ProviderFilter {
  return { addrs: namesOf(query, 'filter-addrs'), protocols: namesOf(query, 'filter-protocols') }
}

function namesOf(query: URLSearchParams, parameter: string): string[] {
  const text = query.get(parameter)
  if (text === null || text === '') return []
  const names = text.toLowerCase().split(',')
  if (names.length > limit || names.some((name) => !form.test(name))) {
    throw new RegistryError(
      'PARAMETER_INVALID',
      `The parameter "${parameter}" is a list of names with commas between them.`,
    )
  }
  return names
}

/** The record with the addresses that pass, or null when it does not pass itself. */
export function filtered(
  record: ProviderRecord,
  { addrs, protocols }: ProviderFilter,
): ProviderRecord | null {
  if (
    !passes(
      record.Protocols.map((name) => name.toLowerCase()),
      protocols,
    )
  )
    return null
  if (addrs.length === 0) return record
  if (record.Addrs.length === 0) return addrs.includes('unknown') ? record : null
  const kept = record.Addrs.filter((address) => passes(protocolsOf(address), addrs))
  return kept.length === 0 ? null : { ...record, Addrs: kept }
}

/** One of the names is wanted, or none is named, and none is unwanted. `unknown` stands for having no names. */
function passes(names: readonly string[], wishes: readonly string[]): boolean {
  const has = (name: string): boolean => (name === 'unknown' ? names.length === 0 : names.includes(name))
  const wanted = wishes.filter((wish) => !wish.startsWith('!'))
  const isUnwanted = wishes.some((wish) => wish.startsWith('!') && has(wish.slice(1)))
  return !isUnwanted && (wanted.length === 0 || wanted.some(has))
}
