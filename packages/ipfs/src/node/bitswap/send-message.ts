import type { Stream } from '@libp2p/interface'
import { BitswapError } from './bitswap-error.ts'

/** Milliseconds that a message may take to leave: a block of 1 MiB at 35 KiB a second. */
const patience = 30_000

/** Bytes that a stream is given at a time: as many may wait in its connection after it has let go of them. */
const pieceSize = 256 * 2 ** 10

/**
 * Sends bytes and waits until all of them have left the stream, so that no peer makes them pile up here.
 * @throws BitswapError when the peer takes them too slowly; the error that ended the stream.
 */
export async function sendMessage(stream: Stream, message: Uint8Array): Promise<void> {
  const timer = setTimeout(() => stream.abort(new BitswapError('A peer takes no answer.')), patience)
  try {
    for (let at = 0; at < message.length; at += pieceSize) {
      stream.send(message.subarray(at, at + pieceSize))
      if (stream.writeBufferLength > 0) await untilSent(stream)
    }
  } finally {
    clearTimeout(timer)
  }
}

async function untilSent(stream: Stream): Promise<void> {
  const sent = Promise.withResolvers<void>()
  const onIdle = (): void => sent.resolve()
  const onClose = ({ error }: { error?: Error }): void =>
    sent.reject(error ?? new BitswapError('The stream was closed.'))
  stream.addEventListener('idle', onIdle)
  stream.addEventListener('close', onClose)
  try {
    await sent.promise
  } finally {
    stream.removeEventListener('idle', onIdle)
    stream.removeEventListener('close', onClose)
  }
}
