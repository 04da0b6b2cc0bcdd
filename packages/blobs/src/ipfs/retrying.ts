import { setTimeout as delay } from 'node:timers/promises'
import { backendFault, mayPass } from './peer-fault.ts'

/** When to stop asking again. */
export interface RetryOptions {
  /** Milliseconds after the first attempt in which another one may begin; 0: only one attempt. */
  within: number
  signal?: AbortSignal | undefined
}

const shortest = 100
const longest = 2000

/**
 * Tries something again that {@link mayPass}: a service that is being restarted, or is too busy. The pauses double, and
 * differ by chance, so that those who failed together do not come back together.
 * @throws the last error; the reason of the signal.
 */
export async function retrying<T>(attempt: () => Promise<T>, { within, signal }: RetryOptions): Promise<T> {
  const until = performance.now() + within
  for (let pause = shortest; ; pause = Math.min(longest, pause * 2)) {
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      const wait = pause * (0.5 + Math.random())
      if (!mayPass(error) || performance.now() + wait > until) throw error
      await delay(wait, undefined, signal === undefined ? {} : { signal }).catch(() =>
        signal?.throwIfAborted(),
      )
    }
  }
}

/**
 * The same for an operation of a store.
 * @throws RegistryError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`; the reason of the signal.
 */
export async function persistently<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  try {
    return await retrying(attempt, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw backendFault(error)
  }
}
