import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@openregistry/server/config'
import { silentLogger, type Logger } from '@openregistry/server/log'
import { findIpfsPeer, findPostgres, findVersitygw, Http2Client, HttpClient } from '@openregistry/testkit'
import { makeCertificates } from '../support/certificates.ts'
import { havePeers } from '../support/peers.ts'
import { Scratch } from '../support/scratch.ts'
import { startRegistry } from '../../apps/openregistry/src/composition.ts'

/** A registry that lives as long as a test needs it. */
export interface TemporaryRegistry extends AsyncDisposable {
  /** Where it listens, for example `http://127.0.0.1:40613`. */
  readonly origin: string
  /** The authority of its certificate, in PEM; without it, it speaks plain HTTP. */
  readonly authority?: string
}

/** Faults are printed, and so end up beside the test during which they happened. */
const faultsToConsole: Logger = {
  ...silentLogger,
  error: (event, fields) => console.error(event, fields),
  child: () => faultsToConsole,
}

/** Variables of the configuration; without any it is the registry as it comes. */
export type Settings = Readonly<Record<`OPEN_REGISTRY_${string}`, string>>

/** Whether it is asked with HTTP/2, which takes TLS. */
export function wantsHttp2(): boolean {
  return process.env['OPEN_REGISTRY_CONFORMANCE_SHAPE'] === 'http2'
}

/** A way to run a registry that needs a server of others. */
interface Shape {
  /** Whether that server is here; where it is not, tests skip themselves (`require-*.ts`). */
  isPossible(): boolean
  start(settings: Settings): Promise<TemporaryRegistry>
}

/** By what OPEN_REGISTRY_CONFORMANCE_SHAPE says. */
const shapes: Readonly<Record<string, Shape>> = {
  /** Several replicas behind a balancer. */
  replicas: {
    isPossible: () => findPostgres() !== null,
    start: async (settings) => (await import('./start-replicas.ts')).startTemporaryReplicas(settings),
  },
  /** One server with a certificate, asked with HTTP/2. */
  http2: {
    isPossible: () => havePeers(['openssl']),
    start: startWithCertificate,
  },
  /** One server whose blobs are in a Kubo node. */
  kubo: {
    isPossible: () => findIpfsPeer('kubo') !== null,
    start: async (settings) => (await import('./start-on-kubo.ts')).startTemporaryOnKubo(settings),
  },
  /** Several replicas that share PostgreSQL and a Kubo node, and no folder. */
  stack: {
    isPossible: () => findPostgres() !== null && findIpfsPeer('kubo') !== null,
    start: async (settings) => (await import('./start-on-kubo.ts')).startTemporaryStack(settings),
  },
  /** The same with private repositories. */
  'private-stack': {
    isPossible: () => findPostgres() !== null && findIpfsPeer('kubo') !== null,
    start: async (settings) => (await import('./start-on-kubo.ts')).startTemporaryPrivateStack(settings),
  },
  /** One server whose blobs are in a bucket. */
  s3: {
    isPossible: () => findVersitygw() !== null,
    start: async (settings) => (await import('./start-on-s3.ts')).startTemporaryOnS3(settings),
  },
}

/** The shape that is asked for; null: the registry as it comes. */
function shapeUnderTest(): Shape | null {
  const name = process.env['OPEN_REGISTRY_CONFORMANCE_SHAPE']
  if (name === undefined) return null
  const shape = shapes[name]
  if (shape === undefined)
    throw new Error(`There is no shape "${name}"; there are: ${Object.keys(shapes).join(', ')}.`)
  return shape
}

/** Whether everything is here that {@link startTemporaryRegistry} needs. */
export function canStartRegistry(): boolean {
  return shapeUnderTest()?.isPossible() ?? true
}

/**
 * Starts our registry on a free port, with its data in a new place that goes away with it, in the shape that
 * OPEN_REGISTRY_CONFORMANCE_SHAPE names.
 */
export function startTemporaryRegistry(settings: Settings = {}): Promise<TemporaryRegistry> {
  return shapeUnderTest()?.start(settings) ?? startReplica(settings)
}

/** A client that speaks with a registry as the shape wants it. */
export function clientOf(
  { origin, authority: ca }: TemporaryRegistry,
  headers: Record<string, string> = {},
): HttpClient {
  return ca === undefined ? new HttpClient(origin, { headers }) : new Http2Client(origin, { headers, ca })
}

async function startWithCertificate(settings: Settings): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const { authority, cert, key } = await makeCertificates(stack.use(new Scratch()), '127.0.0.1')
  const tls: Settings = { OPEN_REGISTRY_HTTP_TLS_CERT: cert, OPEN_REGISTRY_HTTP_TLS_KEY: key }
  const { origin } = stack.use(await startReplica({ ...tls, ...settings }))
  const pem = await readFile(authority, 'utf8')
  const started = stack.move()
  return { origin, authority: pem, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** Starts one server, with a data folder of its own. */
export async function startReplica(settings: Settings): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'openregistry-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const config = await loadConfig({
    env: { OPEN_REGISTRY_DATA_DIR: join(folder, 'data'), OPEN_REGISTRY_HTTP_PORT: '0', ...settings },
    cwd: folder,
  })
  const registry = await startRegistry(config, faultsToConsole)
  stack.defer(() => registry.stop())
  const origin = registry.addresses.find((address) => address.includes('127.0.0.1'))
  if (origin === undefined) throw new Error(`Not on 127.0.0.1: ${registry.addresses.join(', ')}`)
  const started = stack.move()
  return { origin, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
