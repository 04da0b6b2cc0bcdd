import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@openregistry/server/config'
import { HttpClient, randomFrom, type Random } from '@openregistry/testkit'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { startRegistry } from '../../apps/openregistry/src/composition.ts'
import { Repository } from '../conformance/repository.ts'
import { run } from '../support/run.ts'
import { LogRecord } from './log-record.ts'
import { StoredState } from './stored-state.ts'

const program = join(import.meta.dirname, '../../bin/openregistry')

/** How the registry under attack is configured. */
export interface LocalRegistryOptions {
  /** More settings, as variables of the environment. */
  settings?: Readonly<Record<string, string>>
  /** Lines of a users file; with them the registry asks for passwords. */
  users?: readonly string[]
}

/** Our registry in this process, with a look at what it stores and what it logs. */
export class LocalRegistry {
  readonly #options: LocalRegistryOptions
  readonly random: Random = randomFrom(`adversarial ${process.pid} ${performance.now()}`)
  readonly log = new LogRecord()
  #http: HttpClient | null = null
  #stored: StoredState | null = null
  #folder = ''
  readonly #resources = new AsyncDisposableStack()

  constructor(options: LocalRegistryOptions) {
    this.#options = options
  }

  /** A client that sends no credentials. */
  get http(): HttpClient {
    if (this.#http === null) throw new Error('The registry is not there before the tests begin.')
    return this.#http
  }

  /** For example `http://127.0.0.1:40613`. */
  get origin(): URL {
    return this.http.origin
  }

  /** What is in its database and its folder of blobs. */
  get stored(): StoredState {
    if (this.#stored === null) throw new Error('The registry is not there before the tests begin.')
    return this.#stored
  }

  /** A repository that nobody used before, or one of this name; asked by `http`, or by another client. */
  repository(name = `adversarial/${this.random.word(16)}`, http: HttpClient = this.http): Repository {
    return new Repository(http, name)
  }

  /** A client that sends these credentials. */
  clientOf(user: string, password: string): HttpClient {
    const credentials = Buffer.from(`${user}:${password}`).toString('base64')
    return this.#resources.use(
      new HttpClient(this.origin, { headers: { authorization: `Basic ${credentials}` } }),
    )
  }

  async start(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'openregistry-'))
    this.#folder = folder
    this.#resources.defer(() => rm(folder, { recursive: true }))
    const config = await loadConfig({ env: await this.#environment(folder), cwd: folder })
    const registry = await startRegistry(config, this.log)
    this.#resources.defer(() => registry.stop())
    const origin = registry.addresses.find((address) => address.includes('127.0.0.1'))
    if (origin === undefined) throw new Error(`Not on 127.0.0.1: ${registry.addresses.join(', ')}`)
    this.#stored = this.#resources.use(new StoredState(config.data_dir, config.dfs.disk.path ?? ''))
    this.#http = this.#resources.use(new HttpClient(origin))
  }

  /** Runs a command on its data, beside it. @returns what it prints with `--json`. */
  async command(...args: readonly string[]): Promise<unknown> {
    const env = { ...(await this.#environment(this.#folder)), PATH: process.env['PATH'] ?? '' }
    return JSON.parse(await run(program, [...args, '--json'], { env, cwd: this.#folder }))
  }

  async stop(): Promise<void> {
    await this.#resources.disposeAsync()
  }

  /** Replaces the users file. */
  async writeUsers(lines: readonly string[]): Promise<void> {
    await writeFile(join(this.#folder, 'users'), lines.map((line) => `${line}\n`).join(''))
  }

  async #environment(folder: string): Promise<Record<string, string>> {
    const { settings, users } = this.#options
    const usersFile = join(folder, 'users')
    if (users !== undefined) await this.writeUsers(users)
    return {
      OPEN_REGISTRY_DATA_DIR: join(folder, 'data'),
      OPEN_REGISTRY_HTTP_PORT: '0',
      ...(users === undefined ? {} : { OPEN_REGISTRY_AUTH_USERS_FILE: usersFile }),
      ...settings,
    }
  }
}

/**
 * A registry for the tests of this file. After every one of them it must not have logged a fault: whatever a client
 * sends, no request may end in a 5xx.
 */
export function useRegistry(options: LocalRegistryOptions = {}): LocalRegistry {
  const registry = new LocalRegistry(options)
  beforeAll(() => registry.start())
  afterAll(() => registry.stop())
  afterEach(() => expect(registry.log.takeFaults()).toEqual([]))
  return registry
}
