/** A peer does not keep to the protocol, or takes too long. Its stream is ended, and nobody else hears of it. */
export class BitswapError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BitswapError'
  }
}
