import type { ServerResponse } from 'node:http'
import { RegistryError } from '@openregistry/oci'

/** What is sent, and how patiently. */
export interface Sending {
  chunks: AsyncIterable<Uint8Array>
  /** Bytes that the headers announced; null where they announced nothing. */
  length: number | null
  /** Milliseconds after which a client that takes no byte is cut off. */
  stall: number
}

/**
 * Sends chunks that are valid only until the next one is asked for: each is handed to the kernel before that.
 *
 * @returns bytes sent, and whether all of them were. A client that goes away in the middle is ordinary life.
 * @throws what `chunks` throws, and RegistryError `STORAGE_UNAVAILABLE` when they end early; the connection is then
 * destroyed, never ended cleanly, so that the client can neither take a part for the whole nor wait for the rest.
 */
export async function sendStream(
  response: ServerResponse,
  { chunks, length, stall }: Sending,
): Promise<{ sent: number; complete: boolean }> {
  let sent = 0
  const onStall = (): void => void response.destroy()
  response.setTimeout(stall, onStall)
  try {
    for await (const chunk of chunks) {
      if (!(await write(response, chunk))) return { sent, complete: false }
      sent += chunk.length
    }
    if (length !== null && sent !== length) throw endedEarly(sent, length)
    response.end()
    return { sent, complete: true }
  } catch (error) {
    response.destroy()
    throw error
  } finally {
    response.setTimeout(0)
  }
}

function endedEarly(sent: number, length: number): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, {
    cause: `${sent} bytes came instead of ${length}`,
  })
}

/** Resolves once the kernel has the chunk; false when the connection is gone. */
function write(response: ServerResponse, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve(false)
    const gone = (): void => resolve(false)
    response.once('close', gone)
    response.write(chunk, (error) => {
      response.off('close', gone)
      resolve(error === null || error === undefined)
    })
  })
}
