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
  starts,
  largeRegistry,
]

/** Ids of all rows, for `--rows`. */
export const rowIds: readonly string[] = suites.flatMap(({ rows }) => rows.map(({ id }) => id))
