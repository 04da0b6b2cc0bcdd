import { connect, type ConnectionOptions } from './connection.ts'
import { DistributionClient } from './distribution-client.ts'
import { ManagementClient } from './management-client.ts'

/** A client of one registry. */
export interface RegistryClient {
  /** The server's address without a slash at the end. */
  readonly server: string
  /** What every OCI registry has. */
  readonly oci: DistributionClient
  /** What only an OpenRegistry has. */
  readonly api: ManagementClient
}

/** Makes a client; nothing is sent yet. Works wherever there is `fetch`, in browsers too. */
export function createRegistryClient(options: ConnectionOptions): RegistryClient {
  const connection = connect(options)
  return {
    server: connection.server,
    oci: new DistributionClient(connection),
    api: new ManagementClient(connection),
  }
}
