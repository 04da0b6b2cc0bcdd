import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'vitest'

/** Where Debian puts the programs of each version: they are not in PATH. */
const debianFolder = '/usr/lib/postgresql'

/** What a cluster is made and used with. */
const programs = ['initdb', 'postgres', 'psql']

let found: string | null | undefined

/**
 * The folder with the programs of PostgreSQL, or null: `OPENREGISTRY_POSTGRES_BIN`, else PATH, else the newest version
 * that Debian's packages installed.
 */
export function findPostgres(): string | null {
  if (found !== undefined) return found
  const named = process.env['OPENREGISTRY_POSTGRES_BIN']
  const folders = named ? [named] : [...(process.env['PATH'] ?? '').split(delimiter), ...debianFolders()]
  return (found = folders.find((folder) => folder !== '' && hasPrograms(folder)) ?? null)
}

/** Skips a test where there is no PostgreSQL, with the reason that the runner counts. */
export function requirePostgres(context: TestContext): void {
  if (findPostgres() === null) context.skip('missing peer: postgresql (tools/peers/install.sh --debian)')
}

function debianFolders(): string[] {
  try {
    return readdirSync(debianFolder)
      .filter((name) => /^\d+$/.test(name))
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(debianFolder, version, 'bin'))
  } catch {
    return []
  }
}

function hasPrograms(folder: string): boolean {
  try {
    for (const program of programs) accessSync(join(folder, program), constants.X_OK)
    return true
  } catch {
    return false
  }
}
