import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '@openregistry/server/config'
import { faultBlobStore, Http2Client, type BlobFaults } from '@openregistry/testkit'
import type { BlobStore, Lists } from '@openregistry/core'
import { startRegistry } from '../../apps/openregistry/src/composition.ts'
import { LogRecord } from '../adversarial/log-record.ts'
import { Repository } from '../conformance/repository.ts'
import { makeCertificates } from '../support/certificates.ts'
import { Scratch } from '../support/scratch.ts'

/** Our registry with a certificate, in this process; disposing stops it. */
export class SecureRegistry implements AsyncDisposable {
  readonly origin: string
  /** The authority of its certificate, in PEM. */
  readonly ca: string
  /** Path of the same. */
  readonly authority: string
  readonly log: LogRecord
  readonly #faults: () => BlobFaults
  readonly #stop: () => Promise<void>
  readonly #resources: AsyncDisposableStack
  #names = 0

  private constructor(parts: {
    origin: string
    ca: string
    authority: string
    log: LogRecord
    faults: () => BlobFaults
    stop: () => Promise<void>
    resources: AsyncDisposableStack
  }) {
    this.origin = parts.origin
    this.ca = parts.ca
    this.authority = parts.authority
    this.log = parts.log
    this.#faults = parts.faults
    this.#stop = parts.stop
    this.#resources = parts.resources
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<SecureRegistry> {
    await using stack = new AsyncDisposableStack()
    const scratch = stack.use(new Scratch())
    const { authority, cert, key } = await makeCertificates(scratch, '127.0.0.1')
    const config = await loadConfig({
      env: {
        OPEN_REGISTRY_DATA_DIR: join(scratch.path, 'data'),
        OPEN_REGISTRY_HTTP_PORT: '0',
        OPEN_REGISTRY_HTTP_TLS_CERT: cert,
        OPEN_REGISTRY_HTTP_TLS_KEY: key,
        ...settings,
      },
      cwd: scratch.path,
    })
    const log = new LogRecord()
    let faults: BlobFaults | undefined
    const blobs = (store: BlobStore & Lists): BlobStore & Lists => {
      const faulty = faultBlobStore(store)
      faults = faulty.faults
      return faulty as unknown as BlobStore & Lists
    }
    const registry = await startRegistry(config, log, { blobs })
    let stopped: Promise<void> | undefined
    const stop = (): Promise<void> => (stopped ??= registry.stop())
    stack.defer(stop)
    const origin = registry.addresses.find((address) => address.includes('127.0.0.1'))!
    const ca = await readFile(authority, 'utf8')
    const resources = stack.move()
    return new SecureRegistry({ origin, ca, authority, log, faults: () => faults!, stop, resources })
  }

  /** What goes wrong with its blobs. */
  get faults(): BlobFaults {
    return this.#faults()
  }

  /** A client with a connection of its own. */
  client(): Http2Client {
    return new Http2Client(this.origin, { ca: this.ca })
  }

  /** A repository that nobody used before. */
  repository(client: Http2Client): Repository {
    return new Repository(client, `http2/r${this.#names++}`)
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}
