/** A snapshot cannot be read, or is not to be believed; the message says why. */
export class SnapshotError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SnapshotError'
  }
}
