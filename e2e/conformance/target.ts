import { HttpClient, RawConnection, randomFrom, type HttpResponse, type Random } from '@openregistry/testkit'
import { afterAll, beforeAll, type TestContext } from 'vitest'
import { Repository } from './repository.ts'
import {
  canStartRegistry,
  clientOf,
  startTemporaryRegistry,
  wantsHttp2,
  type TemporaryRegistry,
} from './start-registry.ts'

/**
 * The registry that is tested: the one at OPEN_REGISTRY_CONFORMANCE_URL (with OPEN_REGISTRY_CONFORMANCE_USERNAME and
 * OPEN_REGISTRY_CONFORMANCE_PASSWORD if it wants Basic credentials), or ours, started for each test file.
 */
export class Target {
  /** Different at every run, so that a registry that keeps its data can be tested again. */
  readonly random: Random
  #http: HttpClient | null = null
  #own: TemporaryRegistry | null = null

  constructor(seed: string) {
    this.random = randomFrom(seed)
    beforeAll(() => this.#start())
    afterAll(() => this.#stop())
  }

  /** A client with the credentials of the registry. */
  get http(): HttpClient {
    if (this.#http === null) throw new Error('The registry is not there before the tests begin.')
    return this.#http
  }

  /** Whether it is ours, so that it has to keep more promises than those of the specification. */
  get isOurs(): boolean {
    return this.#own !== null
  }

  /** A repository that nobody used before, of this name or a random one. */
  repository(name = `conformance/${this.random.word(16)}`): Repository {
    return new Repository(this.http, name)
  }

  /** Sends GET for a path of the registry. */
  get(path: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
    return this.http.send({ path, headers })
  }

  /** Skips a test of something that is ours, and that another registry need not have. */
  oursAlone(context: TestContext): void {
    if (!this.isOurs) context.skip('the registry under test is another one; this is a promise of ours')
  }

  /** Sends GET for a path as it is, by writing the request. */
  async getByHand(path: string): Promise<HttpResponse | null> {
    using raw = await RawConnection.open(this.http.origin)
    raw.write(`GET ${path} HTTP/1.1\r\nHost: ${this.http.origin.host}\r\n\r\n`)
    return await raw.response()
  }

  /** Skips a test that writes HTTP/1.1 by hand. */
  needsHttp1(context: TestContext): void {
    if (wantsHttp2()) context.skip('bytes of HTTP/1.1 are written by hand')
  }

  async #start(): Promise<void> {
    const {
      OPEN_REGISTRY_CONFORMANCE_URL: url,
      OPEN_REGISTRY_CONFORMANCE_USERNAME: user,
      OPEN_REGISTRY_CONFORMANCE_PASSWORD: password = '',
    } = process.env
    // Every test skips itself then, see `require-postgres.ts` and those beside it.
    if (!canStartRegistry()) return
    if (url === undefined) this.#own = await startTemporaryRegistry()
    const credentials = user === undefined ? null : Buffer.from(`${user}:${password}`).toString('base64')
    const headers = credentials === null ? {} : { authorization: `Basic ${credentials}` }
    this.#http = this.#own === null ? new HttpClient(url ?? '', { headers }) : clientOf(this.#own, headers)
  }

  async #stop(): Promise<void> {
    this.#http?.[Symbol.dispose]()
    await this.#own?.[Symbol.asyncDispose]()
  }
}

/** The registry under test, for the file that calls this at its top. */
export function useTarget(): Target {
  return new Target(`conformance ${process.pid} ${performance.timeOrigin + performance.now()}`)
}
