import { expect, test } from 'vitest'
import type { Tag } from '@openregistry/oci'
import {
  describeWithPostgres,
  manifestAt,
  newName,
  PgBouncer,
  pushManifest,
  requirePgBouncer,
} from '@openregistry/testkit'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import type { PostgresSettings } from './settings.ts'
import { settingsFor } from './test-settings.ts'

/** What holds in a session, and outlives its transactions. */
const wanted = {
  statement_timeout: '30s',
  lock_timeout: '5s',
  idle_in_transaction_session_timeout: '15s',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  // As the kernel has it; not every system knows this one.
  tcp_user_timeout: process.platform === 'linux' ? '60000' : '0',
  bytea_output: 'hex',
  enable_seqscan: 'off',
  jit: 'off',
}

async function settingsIn(settings: PostgresSettings): Promise<Record<string, unknown>> {
  const connection = await Connection.open(settings)
  try {
    const shown = Object.keys(wanted).map((name) => `current_setting('${name}') AS ${name}`)
    await connection.run('BEGIN')
    await connection.run('ROLLBACK')
    const [row] = await connection.run(`SELECT ${shown.join(', ')}`)
    return row ?? {}
  } finally {
    await connection.close()
  }
}

describeWithPostgres('a session', (cluster) => {
  test('has limits, and a server that notices when nobody is there any more', async () => {
    expect(await settingsIn(settingsFor(await cluster().createDatabase()))).toStrictEqual(wanted)
  })

  test('has its own, whatever the database says', async () => {
    const address = await cluster().createDatabase()
    for (const setting of ["statement_timeout = '1min'", 'bytea_output = escape', 'jit = on'])
      await cluster().sql(`ALTER DATABASE ${address.name} SET ${setting}`)
    expect(await settingsIn(settingsFor(address))).toStrictEqual(wanted)
    expect(await settingsIn(settingsFor(address, { statementTimeout: 0, lockTimeout: 0 }))).toStrictEqual({
      ...wanted,
      statement_timeout: '0',
      lock_timeout: '0',
    })
  })

  test('has them behind a pooler that keeps a connection for a session', async (context) => {
    requirePgBouncer(context)
    await using pooler = await PgBouncer.start(cluster())
    const settings = settingsFor({ ...(await cluster().createDatabase()), port: pooler.port })
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    const name = newName()
    const pushed = await Promise.all(
      Array.from({ length: 30 }, (_, count) => pushManifest(store, name, { tags: [`t${count}`] as Tag[] })),
    )
    for (const { digest } of pushed) expect(await manifestAt(store, name, digest)).not.toBeNull()
    expect(await settingsIn(settings)).toStrictEqual(wanted)
  })
})
