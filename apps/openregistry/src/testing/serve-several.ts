import { moveJob, startJobs, type JobKind, type Ports, type Settings } from '@openregistry/core'
import { createRegistryClient, type RegistryClient } from '@openregistry/sdk'
import { loadConfig } from '@openregistry/server/config'
import { silentLogger } from '@openregistry/server/log'
import { createMetrics, renderMetrics } from '@openregistry/server/metrics'
import { serveHttp } from '../serve-http.ts'
import { openSeveralBackends, type SeveralBackends } from './several-backends.ts'

/** A registry on several backends that is served, with its jobs. */
export interface ServedSeveral extends SeveralBackends {
  server: string
  client: RegistryClient
}

/** @param jobs what is done in the background besides moves. */
export async function serveSeveral(
  over: Partial<Settings> = {},
  jobs: (ports: Ports) => JobKind[] = () => [],
): Promise<ServedSeveral> {
  await using stack = new AsyncDisposableStack()
  const opened = stack.use(await openSeveralBackends(over))
  const { ports, registry } = opened
  const observer = { ended: () => undefined, queueAway: () => undefined, queueBack: () => undefined }
  const kinds = [moveJob(ports), ...jobs(ports)]
  const runner = startJobs({ queue: ports.metadata, kinds, observer, poll: 50 })
  stack.defer(() => runner.stop())
  const metrics = createMetrics()
  const config = await loadConfig({ env: { OPEN_REGISTRY_HTTP_PORT: '0' }, cwd: process.cwd() })
  const log = silentLogger
  const render = async () => renderMetrics([await metrics.snapshot()])
  const http = await serveHttp({ config, log, ports, keys: null, registry, metrics, renderMetrics: render })
  stack.defer(() => http.stop(1000))
  const [server = ''] = http.addresses
  const resources = stack.move()
  return {
    ...opened,
    server,
    client: createRegistryClient({ server }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
