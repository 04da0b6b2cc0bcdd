import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@openregistry/server/config'
import { silentLogger, type Logger } from '@openregistry/server/log'
import { startRegistry } from '../../apps/openregistry/src/composition.ts'

/** A registry that lives as long as a test needs it. */
export interface TemporaryRegistry extends AsyncDisposable {
  /** Where it listens, for example `http://127.0.0.1:40613`. */
  readonly origin: string
}

/** Faults are printed, and so end up beside the test during which they happened. */
const faultsToConsole: Logger = {
  ...silentLogger,
  error: (event, fields) => console.error(event, fields),
  child: () => faultsToConsole,
}

/** Variables of the configuration; without any it is the registry as it comes. */
export type Settings = Readonly<Record<`OPEN_REGISTRY_${string}`, string>>

/** Whether the registry under test is several replicas. */
export function wantsReplicas(): boolean {
  return process.env['OPEN_REGISTRY_CONFORMANCE_SHAPE'] === 'replicas'
}

/**
 * Starts our registry on a free port, with its data in a new place that goes away with it. With
 * OPEN_REGISTRY_CONFORMANCE_SHAPE=replicas it is several replicas behind a balancer.
 */
export async function startTemporaryRegistry(settings: Settings = {}): Promise<TemporaryRegistry> {
  if (!wantsReplicas()) return startReplica(settings)
  const { startTemporaryReplicas } = await import('./start-replicas.ts')
  return startTemporaryReplicas(settings)
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
