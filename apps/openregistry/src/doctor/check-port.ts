import { get as httpGet, type IncomingHttpHeaders } from 'node:http'
import { get as httpsGet } from 'node:https'
import { createServer, type Server } from 'node:net'
import type { Config } from '@openregistry/server/config'
import { failed, ok, type Finding } from './finding.ts'

/** How long something that listens may take to say what it is, in milliseconds. */
const patience = 3000

/**
 * Whether the port is free, and if not, who has it; with `running`, whether a registry answers there. A port is free when
 * it can be taken, which a server that starts at that moment cannot do.
 */
export async function checkPort({ http }: Config, { running }: { running: boolean }): Promise<Finding[]> {
  const where = `${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`
  if (running) return [await whoAnswers(http, where)]
  if (http.port === 0) return [ok('port', 'any free one')]
  const fault = await tryListening(http.host, http.port)
  if (fault === null) return [ok('port', `${where} is free`)]
  switch (fault.code ?? '') {
    case 'EADDRINUSE':
      return [await whoListens(http, where)]
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [failed('port', `this machine has no address ${http.host}`, 'Correct http.host.')]
    case 'EACCES':
      return [
        failed(
          'port',
          `${where} is not ours to take`,
          'Use a port above 1023, or grant CAP_NET_BIND_SERVICE.',
        ),
      ]
    default:
      return [failed('port', `${where}: ${fault.message}`, 'Correct http.host and http.port.')]
  }
}

async function tryListening(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  const server: Server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
    return null
  } catch (error) {
    return error as NodeJS.ErrnoException
  } finally {
    server.close()
  }
}

async function whoAnswers(http: Config['http'], where: string): Promise<Finding> {
  if (isRegistry(await ask(http))) return ok('port', `a registry answers on ${where}`)
  return failed('port', `no registry answers on ${where}`, 'Start it, or see why it stopped in its log.')
}

function isRegistry(answer: IncomingHttpHeaders | null): boolean {
  return answer?.['docker-distribution-api-version'] === 'registry/2.0'
}

async function whoListens(http: Config['http'], where: string): Promise<Finding> {
  const taken = `${where} is taken by another program`
  const another = 'Stop it, or choose another port: OPEN_REGISTRY_HTTP_PORT=5001 openregistry serve'
  const answer = await ask(http)
  if (isRegistry(answer)) return ok('port', `a registry answers on ${where} already`)
  // AirPlay Receiver has port 5000 on macOS since version 12.
  if (
    String(answer?.server ?? '').startsWith('AirTunes') ||
    (process.platform === 'darwin' && http.port === 5000)
  ) {
    const advice =
      'Switch AirPlay Receiver off (System Settings, General, AirDrop & Handoff), or choose another port: OPEN_REGISTRY_HTTP_PORT=5001'
    return failed('port', `${where} is taken, on macOS usually by AirPlay Receiver`, advice)
  }
  return failed('port', answer === null ? taken : `${taken}, which speaks HTTP`, another)
}

/** The headers of whatever answers, or null. Whose certificate it has does not matter: nothing is trusted to it. */
function ask({ host, port, tls }: Config['http']): Promise<IncomingHttpHeaders | null> {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const target = { host: reachable, port, path: '/v2/', timeout: patience, agent: false }
  return new Promise((resolve) => {
    const asked = tls.cert === null ? httpGet(target) : httpsGet({ ...target, rejectUnauthorized: false })
    asked.once('response', (response) => {
      resolve(response.headers)
      asked.destroy()
    })
    asked.once('timeout', () => asked.destroy())
    // It speaks something else, or nothing: all that matters is that it is there.
    asked.once('error', () => resolve(null))
    asked.once('close', () => resolve(null))
  })
}
