import type { PreparedBlob } from '../content.ts'
import type { SeedSizes } from '../seed/contents.ts'

/** Everything the bench can measure. `bare` is a plain HTTP server without storage: it shows what the client can do. */
export type PeerId =
  | 'openregistry'
  | 'openregistry-pg'
  | 'openregistry-pg-2'
  | 'openregistry-s3'
  | 'openregistry-kubo'
  | 'distribution-2'
  | 'distribution-3'
  | 'distribution-3-plain'
  | 'zot'
  | 'kubo'
  | 'bare'

/**
 * What a row may need that not every peer has: `registry` takes pushes, `ipfs` answers on `/ipfs`, `cid` says the CID of a
 * repository.
 */
export type Feature = 'registry' | 'referrers' | 'collection' | 'ipfs' | 'cid'

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
  /** Where the service runs that it keeps its blobs in; null where it keeps them itself. */
  backend: Site | null
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

/** A program that answers HTTP on the port of its site. */
export interface Service {
  /** Where its program is, or why it is left out. */
  find(): Promise<{ program: string; version: string } | { missing: string }>
  /** Makes in its folder what its first start needs. */
  setUp?(site: Site): Promise<void>
  launch(site: Site): Launch
}

/** One registry of the comparison. */
export interface Peer extends Service {
  id: PeerId
  /** As the table names it. */
  label: string
  /** Ours in one of its shapes, another registry, or the limit of client and runtime. */
  kind: 'ours' | 'other' | 'limit'
  /** Rows that need one of these leave it out. */
  lacks: readonly Feature[]
  /** Whether it needs a PostgreSQL of its own. */
  needsDatabase?: boolean
  /** What it keeps its blobs in, a server of its own. */
  backend?: Service
  /** Takes files in place of pushes, where it is no registry. It is running. */
  addFiles?(site: Site, files: readonly PreparedBlob[]): Promise<void>
  /** Fills it before its first start; a peer without cannot be large. */
  seed?: {
    /** How much of what is wanted can be written in a minute or so, and still be asked for. */
    sizes(wanted: SeedSizes): SeedSizes
    fill(site: Site, sizes: SeedSizes): Promise<void>
  }
}
