import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '@openregistry/testkit'
import { Ledger } from './ledger.ts'
import { push } from './pusher.ts'
import { startServer } from './server-process.ts'
import { verify } from './verify.ts'

/** A run of the harness. */
export interface KillRunOptions {
  /** Decides contents, ways of pushing and the moments of the kills. */
  seed: number
  /** How often the server is killed. */
  kills: number
  /** Clients that push at the same time. */
  clients: number
  /** The run goes on killing until at least this many pushes were acknowledged. */
  acknowledged: number
  /** Called after each kill. */
  onKill?: (kills: number, acknowledged: number) => void
}

/** What came out. */
export interface KillRunResult {
  kills: number
  acknowledged: number
  blobs: number
  manifests: number
  /** Empty when nothing that was acknowledged is lost. */
  losses: string[]
}

/**
 * Pushes with several clients while the server is killed at random moments and started again, then reads back all that
 * was acknowledged. A kill shows crashes of the process; power cuts are shown by the recording file layer of the testkit.
 */
export async function killRun(options: KillRunOptions): Promise<KillRunResult> {
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-faults-'))
  const log = join(folder, 'server.log')
  const random = randomFrom(options.seed)
  const ledger = new Ledger()
  const port = await freePort()
  let kills = 0
  try {
    while (kills < options.kills || ledger.acknowledged < options.acknowledged) {
      const server = await startServer(folder, port, log)
      const stop = new AbortController()
      const pushers = Array.from({ length: options.clients }, (_, client) =>
        push({
          origin: server.origin,
          repository: `faults/client-${client}`,
          random: randomFrom(`${options.seed} ${kills} ${client}`),
          ledger,
          signal: stop.signal,
        }),
      )
      // The moment is the point here: anywhere in the work that the clients are doing.
      await Promise.race([delay(random.integer(30, 700)), Promise.all(pushers)])
      await server.kill()
      stop.abort()
      await Promise.all(pushers)
      kills++
      options.onKill?.(kills, ledger.acknowledged)
    }
    const server = await startServer(folder, port, log)
    const losses = await verify(server.origin, ledger)
    await server.stop()
    return {
      kills,
      acknowledged: ledger.acknowledged,
      blobs: ledger.blobs.size,
      manifests: ledger.manifests.size,
      losses,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
