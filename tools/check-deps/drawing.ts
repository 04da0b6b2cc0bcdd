/** Workspaces whose code may be imported, by the name of their folder. */
type Workspace = string

const domain = ['oci', 'dag'] as const
const withCore = [...domain, 'core'] as const
const withDrivers = [...withCore, 'metadata', 'blobs', 'ipfs', 'auth'] as const

/**
 * The arrows of the architecture: each folder of `packages/` and `apps/`, and what it may import. A folder that is not
 * here may not exist, so that a new package is drawn before it is written.
 */
export const arrows: Readonly<Record<Workspace, readonly Workspace[]>> = {
  oci: [],
  dag: [],
  core: domain,
  metadata: withCore,
  blobs: withCore,
  ipfs: withCore,
  auth: withCore,
  server: withDrivers,
  sdk: domain,
  testkit: withCore,
  openregistry: [...withDrivers, 'server', 'sdk'],
  web: [...domain, 'sdk'],
  desktop: [...domain, 'sdk'],
}

/** Folders of the root that are not part of the product: they may use every package. */
export const developmentFolders: readonly string[] = ['e2e', 'bench', 'tools']

/** Packages that run in browsers too: nothing of Node's in their sources. */
export const browserSafe: ReadonlySet<Workspace> = new Set(['oci', 'dag'])

/** Sources that may read the environment; the test kit looks for programs in it. */
export const readsEnvironment: readonly string[] = [
  'apps/',
  'packages/server/src/config/',
  'packages/testkit/src/ipfs/',
  'packages/testkit/src/postgres/',
  'packages/testkit/src/s3/',
]

/** Folders of drivers inside of a package; a driver never imports a sibling. */
export const driverFolders: Readonly<Record<Workspace, readonly string[]>> = {
  blobs: ['disk', 'memory', 'kubo', 'cluster', 's3', 'skynet'],
  metadata: ['sqlite', 'postgres'],
}

/** The one file outside of `packages/` that end-to-end tests and benchmarks may import by its path. */
export const compositionRoot = 'apps/openregistry/src/composition.ts'

/** Names, or beginnings of names, of packages so large that they load with `import()` when they are first needed. */
export const heavyPackages: readonly string[] = [
  'libp2p',
  '@libp2p/',
  '@chainsafe/libp2p-',
  'helia',
  '@helia/',
  'kubo-rpc-client',
  '@aws-sdk/',
  '@smithy/',
  '@azure/',
  '@google-cloud/',
  '@grpc/',
]
