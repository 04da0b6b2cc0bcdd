import type { Job } from '../client/jobs/job.ts'
import type { Server } from '../peers/server.ts'
import type { Sizes } from '../sizes.ts'

/** What one turn of one registry gave. Times of operations are milliseconds, memory is bytes. */
export interface Sample {
  seconds: number
  operations: number
  /** Content moved; 0 for small requests. */
  bytes: number
  p50: number
  p99: number
  /** Of the registry's whole process tree while the work went on; NaN where it was not measured. */
  cpuSeconds: number
  idleMemory: number
  peakMemory: number
}

/** What design 06 asks of a number of ours. */
export type Budget =
  /** Ours over the best peer's, at least; the aim is only said. */
  | { kind: 'ratio'; atLeast: number; aim?: number }
  /** Ours over the reference's, at least. */
  | { kind: 'reference'; atLeast: number }
  /** Ours itself, at most, in the unit of the metric. */
  | { kind: 'absolute'; atMost: number }

/** One line of the table. */
export interface Metric {
  title: string
  unit: '1/s' | 'MiB/s' | 's' | 'MB' | 'ms'
  better: 'higher' | 'lower'
  budgets: readonly Budget[]
  /** The number of one turn, in the unit. */
  value(sample: Sample): number
}

/** What was put into a registry before the clock started. */
export interface Ground {
  /** Where the blobs, tags and manifests are. */
  repository: string
  tags: readonly string[]
  /** Digests of manifests. */
  manifests: readonly string[]
  blobs: readonly { digest: string; size: number }[]
  /** All repositories with content. */
  repositories: readonly string[]
}

/** What a row works with. */
export interface Turn {
  server: Server
  ground: Ground
  sizes: Sizes
  /** Runs a job in the client and measures the registry meanwhile. `bytes` is the content it moves. */
  measure(job: Job, bytes: number): Promise<Sample>
}

/** One kind of work. */
export interface Row {
  /** For `--rows`. */
  id: string
  metrics: readonly Metric[]
  /** Whether every server does it once, unmeasured, before its first turn. */
  warmUp?: boolean
  run(turn: Turn): Promise<Sample>
  /** Takes a turn beside the registries: what the runtime itself could do with the same work. */
  reference?: { label: string; run(sizes: Sizes, folder: string): Promise<Sample> }
}

/** Rows that share what is prepared. */
export interface Suite {
  /** One server for all rows and turns, or a fresh one with an empty folder for each turn. */
  servers: 'shared' | 'fresh'
  rows: readonly Row[]
  /** Fills a registry and warms it up, before any clock runs. */
  prepare(server: Server, sizes: Sizes): Promise<Ground>
}
