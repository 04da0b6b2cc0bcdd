import { join } from 'node:path'
import { S3FaultProxy, S3Server, type S3Access } from '@openregistry/testkit'
import { openFile, type BlobPlace } from './blob-place.ts'

/** A bucket on a real S3 server, which can crash, behind a proxy that can break requests. */
export class BucketUnderTest implements AsyncDisposable {
  readonly server: S3Server
  readonly proxy: S3FaultProxy
  readonly #access: S3Access

  private constructor(server: S3Server, proxy: S3FaultProxy, access: S3Access) {
    this.server = server
    this.proxy = proxy
    this.#access = access
  }

  /** Starts a server with an empty bucket. */
  static async open(): Promise<BucketUnderTest> {
    await using opened = new AsyncDisposableStack()
    const server = opened.use(await S3Server.start())
    const proxy = opened.use(await S3FaultProxy.start(server.endpoint))
    const bucket = new BucketUnderTest(server, proxy, await server.createBucket())
    opened.move()
    return bucket
  }

  /** What the configuration of a registry says about it. */
  get env(): Readonly<Record<string, string>> {
    return {
      OPEN_REGISTRY_DFS_DEFAULT: 's3',
      OPEN_REGISTRY_DFS_S3_ENDPOINT: this.proxy.endpoint,
      OPEN_REGISTRY_DFS_S3_BUCKET: this.#access.bucket,
      OPEN_REGISTRY_DFS_S3_ACCESS_KEY: this.#access.accessKey,
      OPEN_REGISTRY_DFS_S3_SECRET_KEY: this.#access.secretKey,
      OPEN_REGISTRY_DFS_S3_PART_SIZE: '5MiB',
      OPEN_REGISTRY_DFS_S3_ATTEMPTS: '3',
      OPEN_REGISTRY_DFS_S3_TIMEOUT: '5s',
    }
  }

  /** Its objects, which the server keeps as files. */
  get place(): BlobPlace {
    const { bucket } = this.#access
    return {
      keys: () => this.server.objects(bucket),
      open: (key) => openFile(join(this.server.folder, bucket, key)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
  }
}
