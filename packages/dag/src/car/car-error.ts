/** The bytes are no CAR that this package reads, or one of its blocks is not what its CID says. */
export class CarError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CarError'
  }
}
