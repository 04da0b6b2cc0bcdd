import type { Origin } from './problem.ts'

/** A value as it stands in the file or the environment, before it is read as the type of its key. */
export interface FoundValue {
  /** Path of the key. */
  key: string
  /** Whether the value names a file that holds the real one (`<key>_file`). */
  inFile: boolean
  origin: Origin
  /** Text, several texts, or an explicit nothing. */
  raw: string | readonly string[] | null
}
