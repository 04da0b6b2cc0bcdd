import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../free-port.ts'
import { Daemon } from './daemon.ts'
import { ipfsPeerPath } from './find-ipfs-peer.ts'

const run = promisify(execFile)

/** How a node is started. */
export interface KuboOptions {
  /** Entries of its configuration, by their path with dots, such as `API.Authorizations`. */
  config?: Readonly<Record<string, unknown>>
  /** The folder of its repository, which exists and is empty; a temporary one unless said otherwise. */
  folder?: string
  /** The contents of its `swarm.key`: it then talks to nodes with the same key only. */
  swarmKey?: string
}

/**
 * A real Kubo node of its own, in a temporary folder and on free ports of 127.0.0.1. It knows nobody, looks for nobody and
 * announces nothing. `await using` ends it.
 */
export class KuboNode implements AsyncDisposable {
  readonly apiUrl: string
  readonly gatewayUrl: string
  /** Its repository. */
  readonly folder: string
  readonly #program: string
  readonly #own: boolean
  readonly #private: boolean
  #daemon: Daemon | null = null

  private constructor(
    program: string,
    folder: string,
    ports: { api: number; gateway: number; own: boolean; private: boolean },
  ) {
    this.#program = program
    this.folder = folder
    this.#own = ports.own
    this.#private = ports.private
    this.apiUrl = `http://127.0.0.1:${ports.api}`
    this.gatewayUrl = `http://127.0.0.1:${ports.gateway}`
  }

  /**
   * Makes a node and starts it.
   * @throws Error when Kubo is not installed; see `requireIpfsPeer`.
   */
  static async start(options: KuboOptions = {}): Promise<KuboNode> {
    const program = ipfsPeerPath('kubo')
    const own = options.folder === undefined
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'openregistry-kubo-')))
    try {
      const [api, gateway, swarm] = await Promise.all([freePort(), freePort(), freePort()])
      const isPrivate = options.swarmKey !== undefined
      const node = new KuboNode(program, folder, { api, gateway, own, private: isPrivate })
      await node.#run(['init', '--empty-repo'])
      await node.configure({
        ...quiet,
        'Addresses.API': `/ip4/127.0.0.1/tcp/${api}`,
        'Addresses.Gateway': `/ip4/127.0.0.1/tcp/${gateway}`,
        'Addresses.Swarm': [`/ip4/127.0.0.1/tcp/${swarm}`],
        ...options.config,
      })
      if (options.swarmKey !== undefined) await writeFile(join(folder, 'swarm.key'), options.swarmKey)
      await node.start()
      return node
    } catch (error) {
      if (own) await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Changes its configuration, which it reads when it starts. */
  async configure(entries: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(this.folder, 'config')
    const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    for (const [path, value] of Object.entries(entries)) set(config, path.split('.'), value)
    await writeFile(file, JSON.stringify(config))
  }

  /** Starts it again after {@link stop}, at the same addresses; resolves once it answers. */
  async start(): Promise<void> {
    this.#daemon = await Daemon.start(this.#program, ['daemon'], {
      ready: 'Daemon is ready',
      cwd: this.folder,
      env: this.#environment(),
    })
  }

  /** Ends it, `SIGKILL` as a crash does. What it holds stays. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = null
    await daemon?.stop(signal)
  }

  /** Lets it stand still, with its connections open. */
  pause(): void {
    this.#daemon?.pause()
  }

  /** Lets it go on. */
  resume(): void {
    this.#daemon?.resume()
  }

  /** Asks its RPC API, and gives the answer as it is. @throws Error with Kubo's words when it refuses. */
  async call(name: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
    const query = new URLSearchParams(parameters).toString()
    const answer = await fetch(`${this.apiUrl}/api/v0/${name}?${query}`, { method: 'POST' })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${text}`)
    return text
  }

  /** Where peers reach it, as `/ip4/127.0.0.1/tcp/4001/p2p/12D3…`. */
  async address(): Promise<string> {
    const { Addresses } = JSON.parse(await this.call('id')) as { Addresses: string[] }
    return Addresses[0] ?? ''
  }

  /** Connects it to another node, from which it can fetch then. */
  async connect(other: KuboNode): Promise<void> {
    await this.call('swarm/connect', { arg: await other.address() })
  }

  /** Starts it again with nothing but its port for peers. */
  async closeHttp(): Promise<void> {
    await this.stop()
    await this.configure({ 'Addresses.API': [], 'Addresses.Gateway': [] })
    await this.start()
  }

  /** Has it fetch what is under a path, into a folder that is not there yet: `ipfs get`. @throws Error with its words. */
  async get(path: string, folder: string): Promise<void> {
    await this.#run(['get', path, '--output', folder])
  }

  /** Lets it collect its garbage now. */
  async collectGarbage(): Promise<void> {
    await this.call('repo/gc')
  }

  /** How many blocks it holds. */
  async blocks(): Promise<number> {
    return (JSON.parse(await this.call('repo/stat')) as { NumObjects: number }).NumObjects
  }

  async #run(words: readonly string[]): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await run(this.#program, [...words], { env: this.#environment(), cwd: this.folder })
  }

  #environment(): Record<string, string> {
    const env = { IPFS_PATH: this.folder, HOME: this.folder, IPFS_TELEMETRY: 'off' }
    // Kubo then ends rather than being open to everybody.
    return this.#private ? { ...env, LIBP2P_FORCE_PNET: '1' } : env
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    if (this.#own) await rm(this.folder, { recursive: true, force: true })
  }
}

/** Nobody to talk to: no other peers, no service of the project, no announcements. */
const quiet: Readonly<Record<string, unknown>> = {
  Bootstrap: [],
  'AutoConf.Enabled': false,
  'AutoTLS.Enabled': false,
  'DNS.Resolvers': {},
  'Discovery.MDNS.Enabled': false,
  'Ipns.DelegatedPublishers': [],
  'Provide.Enabled': false,
  'Routing.DelegatedRouters': [],
  'Routing.Type': 'none',
  'Swarm.DisableNatPortMap': true,
  'Version.SwarmCheckEnabled': false,
}

function set(target: Record<string, unknown>, [name = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[name] = value
  else set((target[name] ??= {}) as Record<string, unknown>, rest, value)
}
