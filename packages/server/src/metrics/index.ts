export { createMetrics, type Metrics } from './metrics.ts'
export { renderMetrics, retireMetrics, type MetricSnapshot, type RenderedMetrics } from './snapshot.ts'
export { timedBlobStore, timedMetadataStore } from './timed-ports.ts'
