import type { Socket } from 'node:net'
import type { Handler } from './exchange.ts'

/** Requests that may wait on one connection before no more are read from it, and before it is cut off. */
const waitingLimit = { pause: 16, cut: 1000 }

/**
 * Handles the requests of a connection one after the other (RFC 9112, 9.3.2, lets a client send them without waiting
 * for answers). Node hands all of them over at once, and an answer that waits for an earlier one takes no bytes and
 * never hears that its connection is gone: a single client could open every file and fill all memory.
 */
export function oneAtATime(handler: Handler): Handler {
  const waiting = new WeakMap<Socket, number>()
  const isFull = (socket: Socket): boolean => (waiting.get(socket) ?? 0) > waitingLimit.pause
  const pauseIfFull = (socket: Socket): void => void (isFull(socket) && socket.pause())
  return (request, response, expectsContinue) => {
    // An answer has its socket unless an earlier one is under way.
    if (response.socket !== null) return handler(request, response, expectsContinue)
    const { socket } = request
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    if (count > waitingLimit.cut) return void socket.destroy()
    // In a moment: Node goes on reading when it has read this request.
    if (count > waitingLimit.pause) process.nextTick(pauseIfFull, socket)
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1)
      // Node begins to read again with each answer.
      if (isFull(socket)) socket.pause()
      else socket.resume()
      handler(request, response, expectsContinue)
    })
  }
}
