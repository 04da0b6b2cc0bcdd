import type { Stream } from '@libp2p/interface'

/**
 * What arrives on a stream, piece by piece. While nobody asks for the next piece the stream is paused, so that a peer can send
 * no more than its window, however fast it is.
 * @throws the error that ended the stream.
 */
export async function* streamPieces(stream: Stream): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: Uint8Array[] = []
  let fault: Error | null = null
  let ended = stream.readableEnded
  let arrived = Promise.withResolvers<void>()
  const onMessage = ({ data }: { data: { subarray(): Uint8Array } }): void => {
    pieces.push(data.subarray())
    if (stream.readStatus === 'readable') stream.pause()
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
        arrived = Promise.withResolvers()
        // May bring the next piece before it returns.
        if (stream.readStatus === 'paused') stream.resume()
        await arrived.promise
      }
    }
    if (fault !== null) throw fault as Error
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
  }
}
