import type { Job } from '../client/jobs/job.ts'
import type { FoundPeer } from '../peers/index.ts'
import type { Feature, Service } from '../peers/peer.ts'
import type { Seeding, Server } from '../peers/server.ts'
import type { Sizes } from '../sizes.ts'

/** What a collection beside pushes showed. */
export interface Collected {
  /** Of what was dead, how much is gone from the disk; between 0 and 1. */
  spaceBack: number
  /** Blobs pushed a second while it was collected, and before and afterwards. NaN where there was no time for any. */
  pushesMeanwhile: number
  pushesAlone: number
}

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
  /** Of its database server's process tree; NaN where there is none. */
  databaseCpuSeconds: number
  idleMemory: number
  peakMemory: number
  /** Where something was collected. */
  collected?: Collected
}

/** What design 06 asks of a number of ours. */
export type Budget =
  /** Ours over the best peer's, at least; the aim is only said. */
  | { kind: 'ratio'; atLeast: number; aim?: number }
  /** Ours over the reference's, at least. */
  | { kind: 'reference'; atLeast: number }
  /** Ours over ours in the row that does the same on a small registry, at least. */
  | { kind: 'growth'; atLeast: number }
  /** Ours itself, at most, in the unit of the metric. */
  | { kind: 'absolute'; atMost: number }
  /** Ours itself, at least, in the unit of the metric. */
  | { kind: 'least'; atLeast: number }

/** One line of the table. */
export interface Metric {
  title: string
  unit: '1/s' | 'MiB/s' | 's' | 'MB' | 'ms' | '%'
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
  /** Manifests that others name as their subject. */
  subjects: readonly { repository: string; digest: string; referrers: readonly string[] }[]
}

/** Nothing; what a suite does not need. */
export const emptyGround: Ground = {
  repository: '',
  tags: [],
  manifests: [],
  blobs: [],
  repositories: [],
  subjects: [],
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
  /** Peers without it take no turn; `registry` unless said otherwise. */
  needs?: Feature
  /** A program that the work needs beside the registries; without it the row is left out. */
  beside?: Pick<Service, 'find'>
  /** The row that does the same work on a small registry; the report compares both. */
  small?: string
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
  /** Fills a registry before it is started, and says with what; those that cannot be filled so take no part. */
  seed?(found: FoundPeer, sizes: Sizes): { fill: Seeding; words: string } | null
  /** Fills a registry and warms it up, before any clock runs. */
  prepare(server: Server, sizes: Sizes): Promise<Ground>
}
