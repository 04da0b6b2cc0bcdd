import { cidCosts, repositoryCids } from './cids.ts'
import { collections } from './collection.ts'
import { ipfsGateway } from './ipfs.ts'
import { largeRegistry } from './large.ts'
import { layerPulls, mixedTransfers } from './pulls.ts'
import { pushes } from './pushes.ts'
import type { Suite } from './row.ts'
import { smallRequests } from './small-requests.ts'
import { starts } from './start.ts'

/** In the order in which they are run and printed. */
export const suites: readonly Suite[] = [
  smallRequests,
  pushes,
  layerPulls,
  mixedTransfers,
  ipfsGateway,
  repositoryCids,
  cidCosts,
  starts,
  collections,
  largeRegistry,
]

/** Ids of all rows, for `--rows`. */
export const rowIds: readonly string[] = suites.flatMap(({ rows }) => rows.map(({ id }) => id))

/** Those of a quick run: one of each kind that is over in seconds. */
export const quickRowIds: readonly string[] = [
  'manifest-tag',
  'blob-head',
  'tags',
  'push',
  'push-32',
  'images',
  'pull-8',
  'large-manifest-tag',
]
