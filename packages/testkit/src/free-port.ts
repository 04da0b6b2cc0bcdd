import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections: none of those can take it while a server restarts. */
const first = 20_000
const end = 30_000

/** A TCP port that nobody listens on, on any address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, end)
    if (await canListen(port)) return port
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  server.once('error', () => resolve(false))
  server.listen({ port, host: '0.0.0.0' }, () => resolve(true))
  const free = await promise
  if (free) await once(server.close(), 'close')
  return free
}
