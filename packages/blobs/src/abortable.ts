/**
 * A stream that ends with `signal.reason` as soon as the signal aborts, even while the source is silent. The source is
 * told to stop, but a silent one is not waited for.
 */
export async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal === undefined) return yield* source
  const iterator = source[Symbol.asyncIterator]()
  let ended = false
  try {
    while (true) {
      const next = await nextUnlessAborted(iterator, signal)
      if (next.done === true) break
      yield next.value
    }
    ended = true
  } finally {
    if (!ended) {
      const stopped = Promise.resolve(iterator.return?.()).catch(() => undefined)
      if (!signal.aborted) await stopped
    }
  }
}

/** A listener for each step, not one race for all: a race would keep every chunk alive until the signal goes. */
function nextUnlessAborted(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<IteratorResult<Uint8Array, unknown>> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    void iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}
