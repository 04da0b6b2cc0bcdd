import type * as Sdk from '@aws-sdk/client-s3'
import { OffLoopSha256 } from './off-loop-sha256.ts'

/** How a bucket is reached. Durations in milliseconds. */
export interface BucketOptions {
  /** Name of the backend, for messages. */
  backend: string
  /** Scheme, host and port. */
  endpoint: string
  bucket: string
  region: string
  accessKey: string
  secretKey: string
  /** Whether the bucket is named in the path, not in the host name. */
  pathStyle: boolean
  /** Connections at most; further requests wait for one. */
  connections: number
  /** How long a connection may take to come about. */
  connectTimeout: number
  /** How long a connection may stand still. */
  timeout: number
  /** How often a request is sent before its failure is one. */
  attempts: number
}

/** What goes wrong is told by errors; the client would write to the console besides. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** A request has this many times `timeout` until the first byte of its answer, however it gets on. */
const patience = 10

/**
 * Loads the client of S3 and sets everything that it would otherwise look for in the environment and in files of the user:
 * a registry does what its configuration says, wherever it is started.
 */
export async function connect(options: BucketOptions): Promise<{ sdk: typeof Sdk; client: Sdk.S3Client }> {
  const sdk = await import('@aws-sdk/client-s3')
  const { endpoint, region, accessKey, secretKey, pathStyle, connections, timeout } = options
  const agent = { keepAlive: true, maxSockets: connections }
  const client = new sdk.S3Client({
    endpoint,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    forcePathStyle: pathStyle,
    maxAttempts: options.attempts,
    retryMode: 'standard',
    defaultsMode: 'standard',
    requestHandler: {
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: options.connectTimeout,
      socketTimeout: timeout,
      requestTimeout: timeout * patience,
      throwOnRequestTimeout: true,
      logger: silent,
    },
    // The signature covers the SHA-256 of every body; other checksums are not known everywhere.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    sha256: OffLoopSha256,
    // With it the client leaves its pool of connections; and without it a refusal costs a part that is sent in vain.
    expectContinueHeader: false,
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    disableS3ExpressSessionAuth: true,
    authSchemePreference: [],
    userAgentAppId: 'openregistry',
    followRegionRedirects: false,
  })
  return { sdk, client }
}
