import { fillWithTags } from './filling.ts'
import { smallRows } from './requests.ts'
import type { Suite } from './row.ts'

/** Small requests, 32 connections. */
export const smallRequests: Suite = {
  servers: 'shared',
  prepare: fillWithTags,
  rows: smallRows,
}
