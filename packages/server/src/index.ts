export { basicAuthentication, openMode, type Authenticator } from './http/authenticate.ts'
export type { LogFields, Logger } from './log/logger.ts'
export { createMetrics, type Metrics } from './metrics/metrics.ts'
export {
  renderMetrics,
  retireMetrics,
  type MetricSnapshot,
  type RenderedMetrics,
} from './metrics/snapshot.ts'
export { timedBlobStore, timedMetadataStore } from './metrics/timed-ports.ts'
export { startServer, type RunningServer, type ServerOptions } from './start-server.ts'
export { ociAnswers } from './v2/errors.ts'
export { methods as v2Methods, type Target as V2Target } from './v2/route.ts'
