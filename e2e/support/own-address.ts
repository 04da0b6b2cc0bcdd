import { networkInterfaces } from 'node:os'
import { cleanEnvironment } from './environment.ts'
import { attempt } from './run.ts'

/** RFC 2544: for tests of network devices, so nobody's. */
const spare = '198.18.0.1'

/** An address of this machine that is not loopback, so that clients treat a registry there as one on another machine. */
export class OwnAddress implements AsyncDisposable {
  readonly ip: string

  private constructor(ip: string) {
    this.ip = ip
  }

  /** One that the machine has, else one more for its loopback device; null where that may not be added. */
  static async find(): Promise<OwnAddress | null> {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    const own = all.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (own !== undefined) return new OwnAddress(own.address)
    return (await ipTool('replace')) ? new OwnAddress(spare) : null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ip === spare) await ipTool('delete')
  }
}

async function ipTool(change: 'replace' | 'delete'): Promise<boolean> {
  const args = ['address', change, `${spare}/32`, 'dev', 'lo']
  return await attempt('ip', args, { env: cleanEnvironment('/') }).then(
    ({ code }) => code === 0,
    () => false,
  )
}
