import { networkInterfaces } from 'node:os'
import { cleanEnvironment } from './environment.ts'
import { attempt } from './run.ts'

/** An address of this machine that is not loopback, so that clients treat a registry there as one on another machine. */
export class OwnAddress implements AsyncDisposable {
  readonly ip: string
  readonly #made: string | null

  private constructor(ip: string, made: string | null) {
    this.ip = ip
    this.#made = made
  }

  /** One that the machine has, else one of an interface that leads nowhere; null where that may not be made. */
  static async find(): Promise<OwnAddress | null> {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    const own = all.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (own !== undefined) return new OwnAddress(own.address, null)
    const device = `or-e2e-${process.pid}`.slice(0, 15)
    // RFC 2544: for tests of network devices, so nobody's.
    const ip = '198.18.0.1'
    const made =
      (await ipTool('link', 'add', device, 'type', 'dummy')) &&
      (await ipTool('address', 'add', `${ip}/32`, 'dev', device)) &&
      (await ipTool('link', 'set', device, 'up'))
    if (made) return new OwnAddress(ip, device)
    await ipTool('link', 'delete', device)
    return null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#made !== null) await ipTool('link', 'delete', this.#made)
  }
}

async function ipTool(...args: string[]): Promise<boolean> {
  return await attempt('ip', args, { env: cleanEnvironment('/') }).then(
    ({ code }) => code === 0,
    () => false,
  )
}
