import type { Stream } from '@libp2p/interface'

/** Streams with something that was taken off them and not asked for. */
const taken = new WeakSet<Stream>()

/** Whether something has arrived on a stream that nobody has read to its end. */
export function hasUnread(stream: Stream): boolean {
  return stream.readBufferLength > 0 || taken.has(stream)
}

/**
 * What arrives on a stream, piece by piece. While nobody asks for the next piece the stream is paused, so that a peer can send
 * no more than its window, however fast it is.
 * @throws the error that ended the stream.
 */
export async function* streamPieces(stream: Stream): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: Uint8Array[] = []
  let fault: Error | null = null
  let ended = stream.readableEnded
  let isResuming = false
  let arrived = Promise.withResolvers<void>()
  const pause = (): void => {
    if (!isResuming && stream.readStatus === 'readable') stream.pause()
  }
  const onMessage = ({ data }: { data: { subarray(): Uint8Array } }): void => {
    pieces.push(data.subarray())
    taken.add(stream)
    pause()
    arrived.resolve()
  }
  const onEnd = (): void => {
    ended = true
    arrived.resolve()
  }
  const onClose = ({ error }: { error?: Error }): void => {
    fault = error ?? null
    onEnd()
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  try {
    for (;;) {
      const piece = pieces.shift()
      if (piece !== undefined) yield piece
      else if (ended) break
      else {
        taken.delete(stream)
        arrived = Promise.withResolvers()
        if (stream.readStatus === 'paused') {
          // May bring the next piece before it returns. A pause within it would not last.
          isResuming = true
          stream.resume()
          isResuming = false
          if (pieces.length > 0) pause()
        }
        await arrived.promise
      }
    }
    if (fault !== null) throw fault as Error
  } finally {
    taken.delete(stream)
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
  }
}
