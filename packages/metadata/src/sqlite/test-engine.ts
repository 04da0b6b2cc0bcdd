import { RegistryError } from '@openregistry/oci'
import type { MetadataStore } from '@openregistry/core'
import { operations, type OperationInput, type OperationName } from '../operations.ts'
import { Connection, configureWriter } from './connection.ts'
import { runGroup } from './group.ts'
import { readError, type WriterRequest } from './messages.ts'
import { migrate } from './schema.ts'
import { temporaryFolder } from './temporary-folder.ts'

let lastId = 0

/** What a writer thread would be sent. */
export function request<N extends OperationName>(operation: N, ...input: OperationInput<N>): WriterRequest {
  return { id: ++lastId, operation, input, weight: 0 }
}

/** Gives a new database, on this thread, to tests that look into its tables. */
export async function withConnection(body: (connection: Connection) => void | Promise<void>): Promise<void> {
  await using folder = await temporaryFolder()
  using connection = new Connection(folder.file, { readOnly: false, timeout: 0 })
  migrate(connection.database, folder.file)
  configureWriter(connection)
  await body(connection)
}

/** The operations as a store on this thread, each in a group of its own. */
export function storeOn(connection: Connection): MetadataStore {
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(operations) as OperationName[]) {
    methods[name] = async (...input: readonly unknown[]) => {
      const [result] = runGroup(connection, [{ ...request('check'), operation: name, input }])
      if (result === undefined) throw new RegistryError('INTERNAL')
      if ('error' in result) throw readError(result.error)
      return result.value
    }
  }
  return methods as unknown as MetadataStore
}

/** Rows of a query. */
export function rows(connection: Connection, text: string, ...values: string[]): Record<string, unknown>[] {
  return connection.database
    .prepare(text)
    .all(...values)
    .map((row) => ({ ...row }))
}
