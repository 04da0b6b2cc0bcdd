import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  findPostgres,
  HttpClient,
  PostgresCluster,
  randomFrom,
  requirePostgres,
  type Random,
} from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { Repository } from '../conformance/repository.ts'
import { Balancer } from '../support/balancer.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { freePort } from '../support/free-port.ts'
import { isReady } from '../support/is-ready.ts'
import { processTree } from '../support/process-tree.ts'
import { ownCommand } from '../support/registry-kinds.ts'
import { Scratch } from '../support/scratch.ts'
import { Service } from '../support/service.ts'

/** One server of several, as processes of its own. */
class Replica {
  readonly http: HttpClient
  readonly origin: string
  readonly #start: () => Promise<Service>
  #service: Service | null = null

  constructor(port: number, start: () => Promise<Service>) {
    this.origin = `http://127.0.0.1:${port}`
    this.http = new HttpClient(this.origin)
    this.#start = start
  }

  async start(): Promise<void> {
    this.#service = await this.#start()
  }

  /** The process that `serve` is. */
  get pid(): number {
    if (this.#service === null) throw new Error('The replica does not run.')
    return this.#service.pid
  }

  /** Everything that it has logged. */
  log(): string {
    return this.#service?.log() ?? ''
  }

  /** Ends it as a power cut does, with everything it started. */
  async kill(): Promise<void> {
    for (const pid of processTree(this.pid)) process.kill(pid, 'SIGKILL')
    await this.stop()
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
    this.http[Symbol.dispose]()
  }
}

/** Three registries on one PostgreSQL database and one folder of blobs, behind a balancer without affinity. */
export class Replicas {
  readonly random: Random = randomFrom(`replicas ${process.pid} ${performance.now()}`)
  readonly servers: Replica[] = []
  readonly #settings: Readonly<Record<string, string>>
  readonly #resources = new AsyncDisposableStack()
  #balancer: Balancer | null = null
  #http: HttpClient | null = null

  constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = settings
  }

  /** A client of the balancer. */
  get http(): HttpClient {
    if (this.#http === null) throw new Error('The replicas are not there before the tests begin.')
    return this.#http
  }

  /** A repository that nobody used before, or one of this name, asked by `http` or by another client. */
  repository(name = `replicas/${this.random.word(16)}`, http = this.http): Repository {
    return new Repository(http, name)
  }

  /** The same repository, asked at one replica. */
  at(index: number, repository: Repository): Repository {
    return new Repository(this.server(index).http, repository.name)
  }

  server(index: number): Replica {
    const server = this.servers[index]
    if (server === undefined) throw new Error(`There is no replica ${index}.`)
    return server
  }

  /** Bytes that all of them together have read and written so far, sockets included (proc(5), `io`). */
  bytesMoved(): { read: number; written: number } {
    const total = { read: 0, written: 0 }
    for (const pid of this.servers.flatMap((server) => processTree(server.pid))) {
      const io = readFileSync(`/proc/${pid}/io`, 'utf8')
      total.read += Number(/^rchar: (\d+)$/m.exec(io)?.[1])
      total.written += Number(/^wchar: (\d+)$/m.exec(io)?.[1])
    }
    return total
  }

  async start(): Promise<void> {
    const scratch = this.#resources.use(new Scratch())
    const cluster = this.#resources.use(await PostgresCluster.start({ settings: { max_connections: '200' } }))
    const { host, port, user, password, name } = await cluster.createDatabase()
    const shared = {
      OPEN_REGISTRY_DB_HOST: host,
      OPEN_REGISTRY_DB_PORT: String(port),
      OPEN_REGISTRY_DB_USER: user,
      OPEN_REGISTRY_DB_PASSWORD: password,
      OPEN_REGISTRY_DB_NAME: name,
      OPEN_REGISTRY_DFS_DISK_PATH: scratch.folder('blobs'),
      OPEN_REGISTRY_HTTP_WORKERS: '1',
      ...this.#settings,
    }
    for (let index = 0; index < 3; index++) {
      const own = await freePort()
      const env = {
        ...shared,
        OPEN_REGISTRY_HTTP_PORT: String(own),
        OPEN_REGISTRY_DATA_DIR: join(scratch.path, `data-${index}`),
      }
      const server = new Replica(own, () =>
        Service.start({
          ...{ name: `replica ${index}`, command: ownCommand, args: ['serve', '--json'] },
          ...{ env: cleanEnvironment(scratch.path, env), cwd: scratch.path },
          logFile: join(scratch.path, `log-${index}`),
          ready: () => isReady(own),
        }),
      )
      this.servers.push(server)
      this.#resources.defer(() => server.stop())
    }
    // All at once: the schema is made by one of them.
    await Promise.all(this.servers.map((server) => server.start()))
    this.#balancer = this.#resources.use(await Balancer.start(this.servers.map(({ origin }) => origin)))
    this.#http = this.#resources.use(new HttpClient(this.#balancer.origin))
  }

  async stop(): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** Three replicas for the tests of this file; where PostgreSQL is missing each test says so and is skipped. */
export function useReplicas(settings: Readonly<Record<string, string>> = {}): Replicas {
  const replicas = new Replicas(settings)
  beforeAll(async () => {
    if (findPostgres() !== null) await replicas.start()
  })
  beforeEach((context) => requirePostgres(context))
  afterAll(() => replicas.stop())
  return replicas
}
