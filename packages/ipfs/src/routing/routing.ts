import { CidError, cidParts, parseCid, sha256Code, type CidParts } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { BlockView } from '../block-view.ts'
import { httpMultiaddr } from './multiaddr.ts'
import { filtered, providerFilter } from './provider-filter.ts'
import { gatewayProtocol, type ProviderRecord } from './provider-record.ts'

/** A question for providers. */
export interface ProvidersRequest {
  /** The CID as it was asked for. */
  cid: string
  query: URLSearchParams
  /** Where whoever asks can reach this server. */
  url: URL
}

/**
 * Who has content (Delegated Routing V1, `GET /routing/v1/providers/{cid}`): this server, for every block that its gateway
 * shows.
 */
export interface Routing {
  /** @throws RegistryError `CID_INVALID`, `PARAMETER_INVALID`. */
  providers(request: ProvidersRequest): Promise<ProviderRecord[]>
}

/** @param self the peer ID of this server. */
export function createRouting(view: BlockView, self: string): Routing {
  return {
    async providers({ cid, query, url }) {
      const { hash, digest } = read(cid)
      const filter = providerFilter(query)
      // Blocks under other hashes are nowhere here, which is an answer and no error.
      if (hash !== sha256Code || digest.length !== 32 || (await view.blockSize(digest)) === null) return []
      const record: ProviderRecord = {
        ...{ Schema: 'peer', ID: self, Addrs: [httpMultiaddr(url)], Protocols: [gatewayProtocol] },
      }
      const found = filtered(record, filter)
      return found === null ? [] : [found]
    },
  }
}

function read(text: string): CidParts {
  try {
    return cidParts(parseCid(text))
  } catch (cause) {
    if (cause instanceof CidError) throw new RegistryError('CID_INVALID', cause.message, { cause })
    throw cause
  }
}
