import type { PartState } from '@openregistry/core'
import type { WebParts } from './parts.ts'

/** What `/readyz` says. */
interface ReadinessAnswer {
  status: 200 | 503
  body: { status: 'ready' | 'not ready' | 'draining'; checks: Record<string, PartState> }
}

/**
 * Answers `/readyz`: which part is not ready, in a few fixed words. Why is in the log, once for each change; strangers do
 * not learn how the registry is built.
 */
export function readinessAnswer({
  registry,
  draining,
  log,
}: Pick<WebParts, 'registry' | 'draining' | 'log'>): () => Promise<ReadinessAnswer> {
  let last = ''
  return async () => {
    const parts = Object.entries(await registry.readiness())
    const wrong = parts.filter(([, { state }]) => state !== 'ok')
    const said = wrong.map(([name, { state }]) => `${name}: ${state}`).join(', ')
    if (said !== last) {
      if (said === '') log.info('ready')
      else
        log.warn('not_ready', {
          parts: said,
          error: wrong.find(([, { error }]) => error !== null)?.[1].error,
        })
      last = said
    }
    const checks = Object.fromEntries(parts.map(([name, { state }]) => [name, state]))
    if (draining()) return { status: 503, body: { status: 'draining', checks } }
    const ready = wrong.length === 0
    return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not ready', checks } }
  }
}
