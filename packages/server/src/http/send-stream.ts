import type { ServerResponse } from 'node:http'

/**
 * Sends chunks that are valid only until the next one is asked for: each is handed to the kernel before that. A client
 * that stops reading for `stall` milliseconds, with no byte taken, is cut off.
 *
 * @returns bytes sent, and whether all of them were. A client that goes away in the middle is ordinary life.
 * @throws what `chunks` throws; the connection is then destroyed, never ended cleanly, so that the client cannot take
 * a part for the whole.
 */
export async function sendStream(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  stall: number,
): Promise<{ sent: number; complete: boolean }> {
  let sent = 0
  const onStall = (): void => void response.destroy()
  response.setTimeout(stall, onStall)
  try {
    for await (const chunk of chunks) {
      if (!(await write(response, chunk))) return { sent, complete: false }
      sent += chunk.length
    }
    response.end()
    return { sent, complete: true }
  } catch (error) {
    response.destroy()
    throw error
  } finally {
    response.setTimeout(0)
  }
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
