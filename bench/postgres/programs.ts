import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isProgram, onPath, printed } from '../peers/program.ts'

/** Folder of a PostgreSQL's programs. */
export interface PostgresPrograms {
  folder: string
  version: string
}

/** Where Debian and Fedora put every version of it. */
const roots = ['/usr/lib/postgresql', '/usr/pgsql']

async function candidates(): Promise<string[]> {
  const named = process.env['OPENREGISTRY_POSTGRES_BIN']
  if (named) return [named]
  const found: string[] = []
  for (const root of roots) {
    const versions = await readdir(root).catch(() => [])
    const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a))
    found.push(...newestFirst.map((version) => `${root}/${version}/bin`))
  }
  const initdb = await onPath('initdb')
  return initdb === null ? found : [...found, dirname(initdb)]
}

/** The newest PostgreSQL server of this machine, or why there is none. */
export async function findPostgres(): Promise<PostgresPrograms | { missing: string }> {
  for (const folder of await candidates()) {
    const needed = ['initdb', 'postgres', 'psql'].map((name) => isProgram(`${folder}/${name}`))
    if (!(await Promise.all(needed)).every(Boolean)) continue
    const version = /\d+\.\d+/.exec(await printed(`${folder}/postgres`, '--version'))?.[0]
    return { folder, version: version ?? 'unknown' }
  }
  return { missing: 'no PostgreSQL server (Debian: postgresql-15), OPENREGISTRY_POSTGRES_BIN is not set' }
}
