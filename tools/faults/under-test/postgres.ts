import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPostgres, TcpProxy, type PostgresCluster } from '@openregistry/testkit'
import type { Database, Row } from './database.ts'

/** Milliseconds that what dead processes asked for may take to end. */
const patience = 30_000

/** A new database of a cluster, which the registry reaches through a proxy. */
export async function postgresDatabase(cluster: PostgresCluster): Promise<Database> {
  const { host, user, password, name } = await cluster.createDatabase()
  const proxy = await TcpProxy.start(cluster.port)
  return {
    env: {
      OPEN_REGISTRY_DB_HOST: host,
      OPEN_REGISTRY_DB_PORT: String(proxy.port),
      OPEN_REGISTRY_DB_USER: user,
      OPEN_REGISTRY_DB_PASSWORD: password,
      OPEN_REGISTRY_DB_NAME: name,
      OPEN_REGISTRY_DB_POOL_SIZE: '6',
    },
    server: {
      cutConnections: () => proxy.cut(),
      stop: (how) => cluster.stop(how),
      start: () => cluster.start(),
      recover: () => cluster.recover(),
      exhaustLog: () => cluster.exhaustLog(),
    },
    disk: cluster.disk,
    async rows(query) {
      const json = await cluster.sql(`SELECT coalesce(json_agg(t), '[]') FROM (${query}) AS t`, name)
      return JSON.parse(json) as Row[]
    },
    run: async (statement) => void (await cluster.sql(statement, name)),
    // The engine never lets a foreign key lead nowhere.
    dangling: () => Promise.resolve([]),
    keep: (folder) => dump(cluster, name, join(folder, 'database.sql')),
    quiet: () => untilQuiet(cluster, name),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await cluster.sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}

async function dump({ port, user, password }: PostgresCluster, name: string, file: string): Promise<void> {
  const words = ['-h', '127.0.0.1', '-p', String(port), '-U', user, '-f', file, name]
  const env = { ...process.env, PGPASSWORD: password }
  await promisify(execFile)(join(findPostgres() ?? '', 'pg_dump'), words, { env })
}

/** Waits until the server does nothing any more for clients that are gone, twice, since it may just have begun. */
async function untilQuiet(cluster: PostgresCluster, name: string): Promise<void> {
  const end = performance.now() + patience
  for (let quiet = 0; quiet < 2;) {
    const busy = await cluster.sql(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid() AND state <> 'idle'`,
    )
    quiet = busy === '0' ? quiet + 1 : 0
    if (performance.now() > end) throw new Error('The database never comes to rest.')
    await delay(20)
  }
}
