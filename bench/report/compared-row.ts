import type { Row } from '../rows/row.ts'
import type { Comparison } from './compare.ts'

/** A metric of a row with what was reached. */
export interface ComparedRow {
  row: Row
  comparison: Comparison
}
