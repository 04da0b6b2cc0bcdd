import { readFileSync } from 'node:fs'

/** Whom a server runs as. */
export interface ServerUser {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root: the user that root gives it, or null for anybody else, who runs it themselves. */
export function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.map((line) => line.split(':')).find(([user]) => user === name)
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody".')
}
