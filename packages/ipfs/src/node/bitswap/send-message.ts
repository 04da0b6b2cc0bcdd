import type { Stream } from '@libp2p/interface'
import { BitswapError } from './bitswap-error.ts'

/** Milliseconds that a message may take to leave: a block of 1 MiB at 35 KiB a second. */
const patience = 30_000

/**
 * Sends bytes and waits until all of them have left the stream, so that no peer makes them pile up here.
 * @throws BitswapError when the peer takes them too slowly; the error that ended the stream.
 */
export async function sendMessage(stream: Stream, message: Uint8Array): Promise<void> {
  stream.send(message)
  if (stream.writeBufferLength === 0) return
  const sent = Promise.withResolvers<void>()
  const onIdle = (): void => sent.resolve()
  const onClose = ({ error }: { error?: Error }): void =>
    sent.reject(error ?? new BitswapError('The stream was closed.'))
  const timer = setTimeout(() => stream.abort(new BitswapError('A peer takes no answer.')), patience)
  stream.addEventListener('idle', onIdle)
  stream.addEventListener('close', onClose)
  try {
    await sent.promise
  } finally {
    clearTimeout(timer)
    stream.removeEventListener('idle', onIdle)
    stream.removeEventListener('close', onClose)
  }
}
