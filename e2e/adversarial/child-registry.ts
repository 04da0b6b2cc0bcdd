import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HttpClient, randomFrom, type Random } from '@openregistry/testkit'
import { afterAll, beforeAll, expect, type TestContext } from 'vitest'
import { Repository } from '../conformance/repository.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { freePort } from '../support/free-port.ts'
import { isReady } from '../support/is-ready.ts'
import { ownCommand } from '../support/registry-kinds.ts'
import { Scratch } from '../support/scratch.ts'
import { Service } from '../support/service.ts'

/** Our registry as a process of its own, whose memory and open files can be counted (where there is a /proc). */
export class ChildRegistry {
  readonly random: Random = randomFrom(`child ${process.pid} ${performance.now()}`)
  readonly #settings: Readonly<Record<string, string>>
  readonly #users: readonly string[] | null
  readonly #resources = new AsyncDisposableStack()
  #service: Service | null = null
  #http: HttpClient | null = null

  /**
   * @param settings variables of the environment
   * @param users lines of a users file; with them the registry asks for passwords
   */
  constructor(settings: Readonly<Record<string, string>>, users: readonly string[] | null) {
    this.#settings = settings
    this.#users = users
  }

  get http(): HttpClient {
    if (this.#http === null) throw new Error('The registry is not there before the tests begin.')
    return this.#http
  }

  get origin(): URL {
    return this.http.origin
  }

  /** A repository that nobody used before. */
  repository(): Repository {
    return new Repository(this.http, `adversarial/${this.random.word(16)}`)
  }

  /** Memory that the process holds now, in MiB. */
  memory(): number {
    return this.#status('VmRSS')
  }

  /** The most memory that it ever held, in MiB. */
  peakMemory(): number {
    return this.#status('VmHWM')
  }

  /** Files and connections that it has open. */
  openFiles(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length
  }

  /** Waits until it has no more open than this; a bound against hanging is the test's own. */
  async untilOpenFiles(count: number): Promise<void> {
    while (this.openFiles() > count) await delay(20)
  }

  /** Everything that it has logged. */
  log(): string {
    return this.#service?.log() ?? ''
  }

  /** Lines of its log that tell of a fault, or of something that nobody expected. */
  faults(): string[] {
    const lines = this.log().split('\n')
    return lines.filter((line) => line !== '' && !/"level":"(debug|info|warn)"/.test(line))
  }

  async start(): Promise<void> {
    const scratch = this.#resources.use(new Scratch())
    const port = await freePort()
    const env = {
      OPEN_REGISTRY_DATA_DIR: join(scratch.path, 'data'),
      OPEN_REGISTRY_HTTP_PORT: String(port),
      ...(this.#users === null
        ? {}
        : { OPEN_REGISTRY_AUTH_USERS_FILE: scratch.file('users', `${this.#users.join('\n')}\n`) }),
      ...this.#settings,
    }
    this.#service = this.#resources.use(
      await Service.start({
        ...{ name: 'openregistry', command: ownCommand, args: ['serve', '--json'] },
        ...{ env: cleanEnvironment(scratch.path, env), cwd: scratch.path },
        logFile: join(scratch.path, 'log'),
        ready: () => isReady(port),
      }),
    )
    this.#http = this.#resources.use(new HttpClient(`http://127.0.0.1:${port}`))
  }

  async stop(): Promise<void> {
    await this.#resources.disposeAsync()
  }

  get #pid(): number {
    if (this.#service === null) throw new Error('The registry is not there before the tests begin.')
    return this.#service.pid
  }

  #status(name: string): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8')
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  }
}

/** A registry for the tests of this file. It must neither log a fault nor end. */
export function useChildRegistry(
  settings: Readonly<Record<string, string>> = {},
  users: readonly string[] | null = null,
): ChildRegistry {
  const registry = new ChildRegistry(settings, users)
  beforeAll(() => registry.start())
  afterAll(async () => {
    expect(registry.faults()).toEqual([])
    expect((await registry.http.send({ path: '/readyz' })).status).toBe(200)
    await registry.stop()
  })
  return registry
}

/** Skips a test that counts what a process holds, where nobody tells. */
export function requireProc(context: TestContext): void {
  if (process.platform !== 'linux') context.skip('counts files and memory in /proc, which is Linux')
}
