import { readFile } from 'node:fs/promises'
import type { Ports, Registry } from '@openregistry/core'
import { peerId } from '@openregistry/dag'
import { createBlockView, createPublishedNames } from '@openregistry/ipfs'
import {
  basicAuthentication,
  openMode,
  startServer,
  type Authenticator,
  type RunningServer,
  type ServerOptions,
} from '@openregistry/server'
import { nameKeysOf, peerPurpose, type Keys } from '@openregistry/server/keys'
import { type Metrics, type RenderedMetrics } from '@openregistry/server/metrics'
import { isLoopback, type Config } from '@openregistry/server/config'
import type { Logger } from '@openregistry/server/log'
import { version } from './version.ts'

/** What the port leads to. */
interface Served {
  config: Config
  log: Logger
  registry: Registry
  /** What lies beneath the use cases, for what shows it as IPFS does. */
  ports: Ports
  /** Null where nothing of IPFS is switched on. */
  keys: Keys | null
  metrics: Metrics
  /** What `/metrics` shows. */
  renderMetrics: () => Promise<RenderedMetrics>
}

/**
 * Opens the port of the registry as the configuration says.
 * @throws the error of the system when an address, the certificate or the users file cannot be used.
 */
export async function serveHttp({
  config,
  log,
  registry,
  ports,
  keys,
  metrics,
  renderMetrics,
}: Served): Promise<RunningServer> {
  const { http, limits, auth } = config
  const publicUrl = http.public_url === null ? null : new URL(http.public_url)
  return startServer({
    registry,
    authenticator: await authenticatorOf(config, log),
    log,
    version: version(),
    listener: {
      hosts: http.host === '127.0.0.1' ? ['127.0.0.1', '::1'] : [http.host],
      port: http.port,
      tls: await tlsOf(config),
      maxHeaderSize: limits.request_headers,
      headersTimeout: limits.headers_timeout,
      keepAliveTimeout: limits.keep_alive_timeout,
      maxConnections: limits.connections,
    },
    metricsListener: config.metrics.listen,
    v2: {
      manifestLimit: limits.manifest,
      body: { window: limits.idle_timeout, minimumRate: limits.min_rate },
      stall: limits.idle_timeout,
      logReads: config.log.reads,
    },
    ipfs: keys === null || !config.ipfs.gateway ? null : shownToIpfs(config, ports, keys),
    uriLimit: limits.uri,
    openMode:
      auth.mode === 'open'
        ? { publicHost: publicUrl?.hostname ?? null, network: !isLoopback(http.host) }
        : null,
    publicAddress: publicUrl?.host ?? null,
    metrics,
    renderMetrics,
  })
}

async function authenticatorOf({ auth }: Config, log: Logger): Promise<Authenticator> {
  if (auth.mode === 'open' || auth.users_file === null) return openMode
  // Password hashing is native code that open mode never needs.
  const { openUsersFile } = await import('@openregistry/server/users-file')
  return basicAuthentication(await openUsersFile(auth.users_file, { log }))
}

function shownToIpfs({ http }: Config, ports: Ports, keys: Keys): NonNullable<ServerOptions['ipfs']> {
  return {
    view: createBlockView(ports),
    names: createPublishedNames(ports.metadata, nameKeysOf(keys)),
    peerId: peerId(keys.signingKey(peerPurpose).publicKey),
    publicUrl: http.public_url === null ? null : new URL(http.public_url),
  }
}

async function tlsOf({ http: { tls } }: Config): Promise<{ cert: string; key: string } | null> {
  if (tls.cert === null || tls.key === null) return null
  return { cert: await readFile(tls.cert, 'utf8'), key: await readFile(tls.key, 'utf8') }
}
