const MiB = 1024 * 1024

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
  /** Entries of a page of tags or of the catalog. */
  page: number
  /** The one large layer. */
  layer: number
  /** Streams that pull it at the same time. */
  pullStreams: number
  patches: { count: number; size: number }
  parallel: { count: number; size: number }
  images: { count: number; layers: number; layerSize: number; repositories: number; connections: number }
  mixed: { operations: number; size: number; connections: number }
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
  page: 100,
  layer: 1024 * MiB,
  pullStreams: 8,
  patches: { count: 16, size: 64 * MiB },
  parallel: { count: 32, size: 100 * MiB },
  images: { count: 1000, layers: 3, layerSize: 10 * 1024, repositories: 10, connections: 8 },
  mixed: { operations: 2000, size: MiB, connections: 8 },
  idleSeconds: 5,
}

/** A look in less than two minutes; good for finding what is broken, not for the table. */
export const quickSizes: Sizes = {
  ...fullSizes,
  seconds: 1,
  warmUpSeconds: 1,
  tags: 250,
  repositories: 120,
  layer: 128 * MiB,
  patches: { count: 16, size: 4 * MiB },
  parallel: { count: 32, size: 4 * MiB },
  images: { ...fullSizes.images, count: 100 },
  mixed: { operations: 200, size: MiB, connections: 8 },
  idleSeconds: 1,
}
