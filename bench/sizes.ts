import type { SeedSizes } from './seed/contents.ts'
import type { DeadBlobs } from './seed/dead-blobs.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** How much work there is. Sizes are bytes. */
export interface Sizes {
  /** Seconds of one measurement of small requests, and of the warm-up before the first. */
  seconds: number
  warmUpSeconds: number
  /** Connections of small requests. */
  connections: number
  /** Tags, each with a manifest of its own, in the repository that small requests go to. */
  tags: number
  /** Repositories of the catalog. */
  repositories: number
  /** Manifests that name one subject. */
  referrers: number
  /** Entries of a page of tags or of the catalog. */
  page: number
  /** The one large layer. */
  layer: number
  /** Streams that pull it at the same time. */
  pullStreams: number
  /** Blobs of one block of 10 KiB that `/ipfs` is asked for. */
  ipfsBlocks: number
  patches: { count: number; size: number }
  parallel: { count: number; size: number }
  images: {
    count: number
    layers: number
    layerSize: number
    repositories: number
    connections: number
    /** No more are begun after so long. */
    limitSeconds: number
  }

  mixed: { operations: number; size: number; connections: number }
  collection: {
    /** Never needed, on disk. */
    dead: DeadBlobs
    /** Blobs that are pushed meanwhile, and over how many connections. */
    pushSize: number
    connections: number
    /** Pushes are counted for so long at a time, and so often more after the end. */
    windowSeconds: number
    windowsAfter: number
  }
  /** The registry that is filled before it starts; peers may get less. */
  large: SeedSizes
  /** Seconds without requests before idle memory is read. */
  idleSeconds: number
}

/** What the table in the README is made with. */
export const fullSizes: Sizes = {
  seconds: 5,
  warmUpSeconds: 3,
  connections: 32,
  tags: 1000,
  repositories: 300,
  referrers: 300,
  page: 100,
  layer: 1024 * MiB,
  pullStreams: 8,
  ipfsBlocks: 1000,
  patches: { count: 16, size: 64 * MiB },
  parallel: { count: 32, size: 100 * MiB },
  images: {
    count: 1000,
    layers: 3,
    layerSize: 10 * 1024,
    repositories: 10,
    connections: 8,
    limitSeconds: 40,
  },
  mixed: { operations: 2000, size: MiB, connections: 8 },
  collection: {
    dead: { count: 100_000, size: 64 * KiB },
    pushSize: 64 * KiB,
    connections: 8,
    windowSeconds: 5,
    windowsAfter: 3,
  },
  large: { repositories: 100_000, blobsOfEach: 10, tags: 10_000, referrers: 100_000 },
  idleSeconds: 5,
}

/** A look in less than two minutes; good for finding what is broken, not for the table. */
export const quickSizes: Sizes = {
  ...fullSizes,
  seconds: 1,
  warmUpSeconds: 1,
  tags: 200,
  repositories: 100,
  referrers: 100,
  layer: 128 * MiB,
  ipfsBlocks: 100,
  patches: { count: 16, size: 4 * MiB },
  parallel: { count: 32, size: 4 * MiB },
  images: { ...fullSizes.images, count: 100, limitSeconds: 5 },
  mixed: { operations: 200, size: MiB, connections: 8 },
  collection: { ...fullSizes.collection, dead: { count: 10_000, size: 64 * KiB }, windowSeconds: 2 },
  large: { repositories: 2000, blobsOfEach: 10, tags: 1000, referrers: 1000 },
  idleSeconds: 1,
}
