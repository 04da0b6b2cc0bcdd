/** The bytes of a block are no dag-pb node, or no UnixFS, that this package reads. */
export class NodeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NodeError'
  }
}
