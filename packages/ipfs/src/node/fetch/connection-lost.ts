/** A connection ended. Nobody is to blame, and another one may do better. */
export class ConnectionLost extends Error {
  constructor(cause?: unknown) {
    super('the connection was lost', { cause })
    this.name = 'ConnectionLost'
  }
}
