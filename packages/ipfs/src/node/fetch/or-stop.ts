/** Waits for something that goes on without whoever stops waiting. @throws the reason of the signal. */
export async function orStop<T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return awaited
  const stopped = Promise.withResolvers<never>()
  const stop = (): void => stopped.reject(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([awaited, stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
