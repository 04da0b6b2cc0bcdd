import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { freePort } from './free-port.ts'
import { launchOf, type RegistryKind, type RegistryOptions } from './registry-kinds.ts'
import { Scratch } from './scratch.ts'
import { Service } from './service.ts'

/**
 * What `startRegistryUnderTest` starts: this registry. `OPENREGISTRY_E2E_AGAINST` names another one, to see whether a
 * test that fails asks for something that other registries do.
 */
const underTest = (process.env['OPENREGISTRY_E2E_AGAINST'] ?? 'openregistry') as RegistryKind

/** A registry that serves. Disposing stops it and deletes its folder, data included. */
export class RunningRegistry implements AsyncDisposable {
  readonly kind: RegistryKind
  readonly options: RegistryOptions
  readonly #scratch: Scratch
  #service: Service

  private constructor(kind: RegistryKind, options: RegistryOptions, scratch: Scratch, service: Service) {
    this.kind = kind
    this.options = options
    this.#scratch = scratch
    this.#service = service
  }

  /** Starts a registry, on a free port of 127.0.0.1 and with a new folder where the options do not say otherwise. */
  static async start(kind: RegistryKind, given: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
    const scratch = new Scratch()
    try {
      const options: RegistryOptions = {
        dataDir: join(scratch.folder('registry'), 'data'),
        host: '127.0.0.1',
        port: given.port ?? (await freePort()),
        ...given,
      }
      return new RunningRegistry(kind, options, scratch, await launch(kind, options, scratch))
    } catch (error) {
      await scratch[Symbol.asyncDispose]()
      throw error
    }
  }

  /** `<host>:<port>`, as references begin. */
  get address(): string {
    const { host, port } = this.options
    return `${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`
  }

  /** The same by another address of this machine. */
  addressAt(ip: string): string {
    return `${ip}:${this.options.port}`
  }

  get url(): string {
    return `${this.options.tls ? 'https' : 'http'}://${this.address}`
  }

  /** The process that was started. */
  get pid(): number {
    return this.#service.pid
  }

  /** Everything that it has logged. */
  log(): string {
    return this.#service.log()
  }

  /** Asks it to stop. @returns its exit code; null when it had to be killed. */
  stop(): Promise<number | null> {
    return this.#service.stop()
  }

  /** Starts it again after {@link stop}, at the same address; with the data of another folder if one is named. */
  async startAgain(dataDir = this.options.dataDir): Promise<void> {
    this.options.dataDir = dataDir
    this.#service = await launch(this.kind, this.options, this.#scratch)
  }

  /** @throws Error when our registry does not end as it should, or has logged a fault: no client here may cause one. */
  async [Symbol.asyncDispose](): Promise<void> {
    const code = await this.stop()
    const faults = this.kind === 'openregistry' ? faultsIn(this.log()) : []
    await this.#scratch[Symbol.asyncDispose]()
    if (this.kind !== 'openregistry') return
    if (code !== 0) throw new Error(`The registry ended with ${code ?? 'a signal'} at SIGTERM.`)
    if (faults.length > 0) throw new Error(`The registry has logged faults:\n${faults.join('\n')}`)
  }
}

function faultsIn(log: string): string[] {
  return log.split('\n').filter((line) => line.includes('"level":"error"'))
}

/** Starts the registry that the tests are about. */
export function startRegistryUnderTest(options: Partial<RegistryOptions> = {}): Promise<RunningRegistry> {
  return RunningRegistry.start(underTest, options)
}

async function launch(kind: RegistryKind, options: RegistryOptions, scratch: Scratch): Promise<Service> {
  const folder = scratch.folder('registry')
  const { command, args, env, files, readyPath } = launchOf(kind, options, folder)
  for (const [name, content] of Object.entries(files)) scratch.file(join('registry', name), content)
  return Service.start({
    ...{ name: kind, command, args },
    env: cleanEnvironment(folder, env),
    cwd: folder,
    logFile: join(scratch.path, 'registry.log'),
    ready: () => answers(options, readyPath),
  })
}

/** Whether a path answers with 200, or 401. */
async function answers({ host, port, tls }: RegistryOptions, path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const get = tls ? getHttps : getHttp
  // Whose certificate it is, is what the clients are asked; here it is enough that somebody answers.
  const trust = tls ? { rejectUnauthorized: false } : {}
  const where = host === '0.0.0.0' ? '127.0.0.1' : host
  const request = get({ host: where, port, path, agent: false, timeout: 5000, ...trust }, (response) => {
    response.resume()
    resolve(response.statusCode === 200 || response.statusCode === 401)
  })
  request.on('timeout', () => request.destroy())
  request.on('error', () => resolve(false))
  return promise
}
