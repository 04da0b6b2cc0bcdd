import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { seedRows, type RowSink } from '../seed/openregistry-rows.ts'
import { seedPostgres } from '../seed/postgres.ts'
import { seedSqlite } from '../seed/sqlite.ts'
import { findPostgres } from '../postgres/programs.ts'
import { launch, untilAnswer } from './launch.ts'
import type { Launch, Peer, Site } from './peer.ts'
import { isProgram, versionOf } from './program.ts'

async function find(): Promise<{ program: string; version: string } | { missing: string }> {
  const program = fileURLToPath(new URL('../../bin/openregistry', import.meta.url))
  if (!(await isProgram(program))) return { missing: 'bin/openregistry is not there' }
  return { program, version: await versionOf(program, 'version') }
}

function databaseEnvironment({ database }: Site): Record<string, string> {
  if (database === null) return {}
  return {
    OPEN_REGISTRY_DB_KIND: 'postgres',
    OPEN_REGISTRY_DB_HOST: '127.0.0.1',
    OPEN_REGISTRY_DB_PORT: String(database.port),
    OPEN_REGISTRY_DB_USER: database.user,
    OPEN_REGISTRY_DB_NAME: database.name,
  }
}

/** As a user starts us: files on disk, CIDs and disk syncs included. */
export function launchOurs(site: Site, env: Readonly<Record<string, string>> = {}): Launch {
  return {
    command: site.program,
    args: ['serve'],
    env: {
      OPEN_REGISTRY_HTTP_PORT: String(site.port),
      OPEN_REGISTRY_DATA_DIR: `${site.folder}/data`,
      OPEN_REGISTRY_LOG_LEVEL: 'error',
      ...databaseEnvironment(site),
      ...env,
    },
    files: {},
  }
}

/** Longer than any start on an empty folder takes, in milliseconds. */
const startLimit = 60_000

/** Lets a first start make the schema, and writes rows into it. */
export async function fillOurs(site: Site, fill: (sink: RowSink) => void): Promise<void> {
  const child = await launch({ launch: launchOurs }, site)
  try {
    await untilAnswer(child, site, startLimit)
  } finally {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
  if (site.database === null) seedSqlite(`${site.folder}/data/openregistry.db`, fill)
  else await seedPostgres(site.database, site.folder, fill)
}

const shared = {
  kind: 'ours',
  lacks: [],
  launch: launchOurs,
  seed: {
    sizes: (wanted) => wanted,
    fill: (site, sizes) => fillOurs(site, (sink) => seedRows(sizes, sink)),
  },
} satisfies Partial<Peer>

/** Embedded SQLite, one process. */
export const openregistry: Peer = { ...shared, id: 'openregistry', label: 'OpenRegistry', find }

async function findBoth(): Promise<{ program: string; version: string } | { missing: string }> {
  const postgres = await findPostgres()
  if ('missing' in postgres) return postgres
  const ours = await find()
  return 'missing' in ours ? ours : { ...ours, version: `${ours.version}, PostgreSQL ${postgres.version}` }
}

/** On PostgreSQL with one serving process. */
export const openregistryPg: Peer = {
  ...shared,
  id: 'openregistry-pg',
  label: 'OpenRegistry, PG, 1 worker',
  needsDatabase: true,
  find: findBoth,
  launch: (site) => launchOurs(site, { OPEN_REGISTRY_HTTP_WORKERS: '1' }),
}

/** On PostgreSQL with two. */
export const openregistryPg2: Peer = {
  ...openregistryPg,
  id: 'openregistry-pg-2',
  label: 'OpenRegistry, PG, 2 workers',
  launch: (site) => launchOurs(site, { OPEN_REGISTRY_HTTP_WORKERS: '2' }),
}
