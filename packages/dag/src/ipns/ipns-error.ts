/** Why something is no record of a name that can be believed. */
export type IpnsFault = 'malformed' | 'too large' | 'other key' | 'forged' | 'expired'

/** A name of IPNS cannot be read, or a record is not to be believed. */
export class IpnsError extends Error {
  readonly fault: IpnsFault

  constructor(fault: IpnsFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'IpnsError'
    this.fault = fault
  }
}
