import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { run } from './run.ts'
import type { Scratch } from './scratch.ts'

/** A person who may log in. */
export interface User {
  name: string
  password: string
}

/** The one user of the tests. */
export const ann: User = { name: 'ann', password: 'a secret: with spaces' }

/** Writes a users file as an administrator would, with `htpasswd -B`. @returns its path. */
export async function makeUsersFile(scratch: Scratch, users: readonly User[] = [ann]): Promise<string> {
  const lines: string[] = []
  for (const { name, password } of users) {
    const args = ['-B', '-n', '-i', name]
    const env = cleanEnvironment(scratch.path)
    lines.push((await run(peerPath('htpasswd'), args, { env, input: password })).trim())
  }
  return scratch.file('users.htpasswd', `${lines.join('\n')}\n`)
}

/** The headers with which a user asks (RFC 7617); none for nobody. */
export function authorizationOf(user: User | undefined): Record<string, string> {
  if (user === undefined) return {}
  const secret = Buffer.from(`${user.name}:${user.password}`).toString('base64')
  return { authorization: `Basic ${secret}` }
}
