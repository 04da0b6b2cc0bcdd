import type { Registry } from '@openregistry/core'
import type { Logger } from '@openregistry/server/log'

/** Milliseconds between two rounds when the last one found nothing to do. */
const pause = 60_000

/**
 * Sweeps ended uploads and unneeded objects in the background, a small round at a time.
 * @returns what stops it, after the round that is under way.
 */
export function startHousekeeping(registry: Registry, log: Logger): () => Promise<void> {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout
  let round: Promise<void> = Promise.resolve()
  const schedule = (delay: number): void => {
    timer = setTimeout(() => {
      round = run()
    }, delay)
    timer.unref()
  }
  const run = async (): Promise<void> => {
    let busy = false
    try {
      const { uploads, objects } = await registry.sweep(stopping.signal)
      busy = uploads + objects > 0
      if (busy) log.debug('gc_sweep', { uploads, objects })
    } catch (error) {
      log.warn('gc_sweep_failed', { error })
    }
    // While there is work the next round follows soon, with a breath for the requests in between.
    if (!stopping.signal.aborted) schedule(busy ? 100 : pause)
  }
  schedule(pause)
  return async () => {
    stopping.abort()
    clearTimeout(timer)
    await round
  }
}
