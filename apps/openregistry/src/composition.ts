import { createRegistry, type JobRunner, type Ports, type Registry } from '@openregistry/core'
import {
  createMetrics,
  renderMetrics,
  type Metrics,
  type RenderedMetrics,
} from '@openregistry/server/metrics'
import type { Config } from '@openregistry/server/config'
import { nameKeysOf, openKeysFile, type Keys } from '@openregistry/server/keys'
import type { Logger } from '@openregistry/server/log'
import { startBackgroundJobs, type BackgroundParts } from './background-jobs.ts'
import { openPorts, type Layers } from './open-ports.ts'
import { requireRestored } from './restore/require-restored.ts'
import { serveHttp } from './serve-http.ts'
import { startIpfsNode } from './start-ipfs-node.ts'
import { watchQueues } from './watch-queues.ts'

export { settingsOf, type Layers } from './open-ports.ts'

/** A process that does its part of a registry. */
export interface RunningProcess {
  /** One URL for each address that is listened on. */
  readonly addresses: readonly string[]
  readonly metrics: Metrics
  /** `/readyz` says from now on that this process is about to stop; everything else goes on. */
  drain(): void
  /** Takes nothing new, finishes requests in flight, closes everything. Uploads can be resumed afterwards. */
  stop(): Promise<void>
}

/** A registry in one process. */
export interface RunningRegistry extends RunningProcess {
  /** Its use cases, for whoever runs in the same process. */
  readonly registry: Registry
  /** What it does in the background. */
  readonly jobs: JobRunner
}

/*
 * The one place where drivers, use cases and transports meet. Each role opens what the configuration names, in the order
 * in which it is needed, and closes it in the reverse order, also when the start fails half-way.
 */

/**
 * The embedded shape: one process serves, and does the work of the background.
 * @throws RegistryError, or an error of the system, when something cannot be opened; nothing is left open then.
 */
export async function startRegistry(
  config: Config,
  log: Logger,
  layers: Layers = {},
): Promise<RunningRegistry> {
  await using opened = new AsyncDisposableStack()
  const { metrics, keys, ports, registry } = await open(config, log, layers, opened)
  const network = await startIpfsNode({ config, ports, keys, metrics, log }, opened)
  const jobs = startJobs({ config, ports, network, metrics, log }, opened)
  const render = async (): Promise<RenderedMetrics> => renderMetrics([await metrics.snapshot()])
  const server = await serveHttp({ config, log, registry, ports, keys, metrics, renderMetrics: render })
  opened.defer(() => server.stop(config.limits.shutdown_grace))
  const resources = opened.move()
  return {
    addresses: server.addresses,
    metrics,
    registry,
    jobs,
    drain: () => server.drain(),
    stop: () => resources.disposeAsync(),
  }
}

/**
 * One of many processes that serve on one port.
 * @param render the numbers of all of them.
 * @throws as {@link startRegistry}.
 */
export async function startHttpWorker(
  config: Config,
  log: Logger,
  render: () => Promise<RenderedMetrics>,
): Promise<RunningProcess> {
  await using opened = new AsyncDisposableStack()
  const { metrics, keys, ports, registry } = await open(config, log, {}, opened)
  const server = await serveHttp({ config, log, registry, ports, keys, metrics, renderMetrics: render })
  opened.defer(() => server.stop(config.limits.shutdown_grace))
  const resources = opened.move()
  return {
    addresses: server.addresses,
    metrics,
    drain: () => server.drain(),
    stop: () => resources.disposeAsync(),
  }
}

/**
 * The process that does the work of the background beside the workers.
 * @throws as {@link startRegistry}.
 */
export async function startBackground(config: Config, log: Logger): Promise<RunningProcess> {
  await using opened = new AsyncDisposableStack()
  const { metrics, keys, ports } = await open(config, log, {}, opened)
  const network = await startIpfsNode({ config, ports, keys, metrics, log }, opened)
  startJobs({ config, ports, network, metrics, log }, opened)
  const resources = opened.move()
  return { addresses: [], metrics, drain: () => undefined, stop: () => resources.disposeAsync() }
}

async function open(
  config: Config,
  log: Logger,
  layers: Layers,
  opened: AsyncDisposableStack,
): Promise<{ metrics: Metrics; keys: Keys | null; ports: Ports; registry: Registry }> {
  const metrics = createMetrics()
  const drivers = await openPorts(config, metrics, layers, opened)
  // After its connection, by which a restore that is about to begin sees that somebody serves.
  await requireRestored(drivers.metadata)
  // Nothing is made for a registry that cannot be opened.
  const { gateway, node } = config.ipfs
  const keys = gateway || node ? await openKeysFile(config.keys.file, log) : null
  const ports = { ...drivers, names: keys !== null && gateway ? nameKeysOf(keys) : null }
  return { metrics, keys, ports, registry: createRegistry(ports) }
}

function startJobs(parts: BackgroundParts, opened: AsyncDisposableStack): JobRunner {
  watchQueues(parts.metrics, parts.ports.metadata)
  const jobs = startBackgroundJobs(parts)
  opened.defer(() => jobs.stop())
  return jobs
}
