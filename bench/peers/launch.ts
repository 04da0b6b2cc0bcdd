import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Peer, Site } from './peer.ts'

/** What it prints goes here. */
function logOf({ folder }: Site): string {
  return join(folder, 'output.log')
}

/** Starts the process of a registry, in a group of its own. */
export async function launch(peer: Pick<Peer, 'launch'>, site: Site): Promise<ChildProcess> {
  const { command, args, env, files } = peer.launch(site)
  for (const [path, content] of Object.entries(files)) await writeFile(path, content)
  const log = openSync(logOf(site), 'a')
  const child = spawn(command, args, {
    cwd: site.folder,
    env: { ...inheritedEnvironment(), ...env },
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  await once(child, 'spawn')
  return child
}

/**
 * Waits for the first answer.
 * @param limit in milliseconds
 * @throws Error with the registry's own words when there is none in time
 */
export async function untilAnswer(child: ChildProcess, site: Site, limit: number): Promise<void> {
  const end = performance.now() + limit
  while (!(await answers(site.port))) {
    if (child.exitCode !== null || performance.now() > end) {
      const words = (await readFile(logOf(site), 'utf8')).slice(-2000)
      throw new Error(`it did not start: ${words}`)
    }
    await delay(2)
  }
}

/** One GET /v2/ on a bare connection; true for any HTTP answer that is not a server error. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.once('connect', () => socket.write(`GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`))
  socket.once('data', (bytes: Buffer) => resolve(/^HTTP\/1\.1 [234]/.test(bytes.toString('latin1', 0, 16))))
  socket.once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  return await promise.finally(() => socket.destroy())
}

/** Ours, without what would configure a registry behind the bench's back. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(OPEN_REGISTRY|REGISTRY|OTEL|ZOT)_/.test(name),
  )
  return Object.fromEntries(entries)
}
