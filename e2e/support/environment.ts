import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where daemons of Debian are; a plain user's PATH lacks them. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** The PATH of the tests with the folders of daemons. */
export function searchPath(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...new Set([...folders, ...systemFolders])].join(delimiter)
}

/**
 * The environment of a program under test: nothing of the caller but the PATH, so that neither a login nor a switch of
 * the person who runs the tests decides what happens.
 *
 * @param home where the program may keep its files
 */
export function cleanEnvironment(home: string, extra: Readonly<Record<string, string>> = {}) {
  return { PATH: searchPath(), HOME: home, LANG: 'C.UTF-8', TZ: 'UTC', NO_COLOR: '1', ...extra }
}

/** The first program of that name on the PATH of the tests, or null. */
export function findProgram(name: string): string | null {
  for (const folder of searchPath().split(delimiter)) {
    const path = executable(join(folder, name))
    if (path !== null) return path
  }
  return null
}

/** The path itself when it can be run, or null. */
export function executable(path: string): string | null {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return null // Not there, or nothing to run: the same for a test.
  }
}
