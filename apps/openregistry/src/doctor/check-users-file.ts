import { stat } from 'node:fs/promises'
import type { Config } from '@openregistry/server/config'
import { formatCount } from '../terminal/amounts.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** The users file, or the open mode that there is without one. */
export async function checkUsersFile({ auth, http }: Config): Promise<Finding[]> {
  if (auth.users_file === null) {
    if (!auth.allow_open_network)
      return [ok('access', 'open mode: whoever reaches the port may push, pull and delete')]
    const message = `open mode on ${http.host}: everybody on the network may push, pull and delete`
    return [warning('access', message, 'auth.users_file asks for passwords.')]
  }
  const { openUsersFile, UsersFileError } = await import('@openregistry/server/users-file')
  try {
    const { size } = await openUsersFile(auth.users_file)
    const { mode } = await stat(auth.users_file)
    const findings = [
      size === 0
        ? warning(
            'users',
            `${auth.users_file} has no users, so nobody may push`,
            `htpasswd -B ${auth.users_file} <name>`,
          )
        : ok('users', `${formatCount(size, 'user')} in ${auth.users_file}`),
    ]
    if ((mode & 0o004) !== 0) {
      findings.push(
        warning(
          'users',
          `every user of this machine may read ${auth.users_file}`,
          `chmod o-r ${auth.users_file}`,
        ),
      )
    }
    return findings
  } catch (error) {
    if (!(error instanceof UsersFileError)) throw error
    return error.problems.map((problem) =>
      failed('users', problem, 'The registry does not start before that is corrected.'),
    )
  }
}
