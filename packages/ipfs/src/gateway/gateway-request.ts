import type { Cid, CidParts } from '@openregistry/dag'
import type { CarParameters } from './car-parameters.ts'

/** What somebody asks the gateway for, checked as far as that is possible without looking at content. */
export type GatewayRequest = {
  /** The first segment of the path. */
  readonly root: CidParts
  /** The same as text, as it is shown. */
  readonly cid: Cid
  /** The path that was asked for, from `/ipfs/` on, encoded. */
  readonly path: string
  /** The query that says the same without an `Accept` header; null where it does already. */
  readonly canonicalQuery: string | null
  /** What the answer is called when it is saved; null: by its CID. */
  readonly filename: string | null
} & (
  | { readonly format: 'raw' }
  | {
      readonly format: 'car'
      /** Names to follow from the root, decoded. */
      readonly segments: readonly string[]
      readonly car: CarParameters
    }
)
