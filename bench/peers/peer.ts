import type { PreparedBlob } from '../content.ts'
import type { SeedSizes } from '../seed/contents.ts'

/** Everything the bench can measure. `bare` is a plain HTTP server without storage: it shows what the client can do. */
export type PeerId =
  | 'openregistry'
  | 'openregistry-pg'
  | 'openregistry-pg-2'
  | 'distribution-2'
  | 'distribution-3'
  | 'distribution-3-plain'
  | 'zot'
  | 'kubo'
  | 'bare'

/** What a row may need that not every peer has: without `registry` it takes no pushes, with `ipfs` it answers on `/ipfs`. */
export type Feature = 'registry' | 'referrers' | 'collection' | 'ipfs'

/** A PostgreSQL that listens on 127.0.0.1 with an empty database. */
export interface Database {
  port: number
  user: string
  name: string
  /** Root of its process tree. */
  pid: number
}

/** Where a registry runs. */
export interface Site {
  /** What {@link Peer.find} gave. */
  program: string
  /** On 127.0.0.1. */
  port: number
  /** Empty, for its data and its configuration. */
  folder: string
  /** Null unless the peer needs one. */
  database: Database | null
}

/** How one registry is started. */
export interface Launch {
  command: string
  args: readonly string[]
  /** Added to the environment. */
  env: Readonly<Record<string, string>>
  /** Written before the start: path and content. */
  files: Readonly<Record<string, string>>
}

/** One registry of the comparison. */
export interface Peer {
  id: PeerId
  /** As the table names it. */
  label: string
  /** Ours in one of its shapes, another registry, or the limit of client and runtime. */
  kind: 'ours' | 'other' | 'limit'
  /** Rows that need one of these leave it out. */
  lacks: readonly Feature[]
  /** Whether it needs a PostgreSQL of its own. */
  needsDatabase?: boolean
  /** Where its program is, or why it is left out. */
  find(): Promise<{ program: string; version: string } | { missing: string }>
  /** Makes in its folder what its first start needs. */
  setUp?(site: Site): Promise<void>
  launch(site: Site): Launch
  /** Takes files in place of pushes, where it is no registry. It is running. */
  addFiles?(site: Site, files: readonly PreparedBlob[]): Promise<void>
  /** Fills it before its first start; a peer without cannot be large. */
  seed?: {
    /** How much of what is wanted can be written in a minute or so, and still be asked for. */
    sizes(wanted: SeedSizes): SeedSizes
    fill(site: Site, sizes: SeedSizes): Promise<void>
  }
}
