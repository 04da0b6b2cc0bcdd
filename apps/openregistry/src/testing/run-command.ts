import { spawn, type ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../../../bin/openregistry', import.meta.url))

/** How a command is run in a test. */
export interface RunOptions {
  cwd: string
  /** Variables besides those that a program needs to start; none of the caller's OPEN_REGISTRY_* come through. */
  env?: Record<string, string>
  /** What it reads from its standard input. */
  input?: string
  /** Id of the user and group that it runs as, where this process may choose. */
  user?: number
}

/** How a command ended. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the real command in a process of its own. */
export function startCommand(args: readonly string[], { cwd, env = {}, user }: RunOptions): ChildProcess {
  const { PATH, HOME, TMPDIR } = process.env
  const own = Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value))
  return spawn(command, args, {
    cwd,
    env: { ...own, ...env },
    stdio: 'pipe',
    ...(user === undefined ? {} : { uid: user, gid: user }),
  })
}

/** Runs the real command to its end. */
export async function runCommand(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = startCommand(args, options)
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('The command has no pipes.')
  // A command that ends without reading its input is fine.
  stdin.on('error', () => {})
  stdin.end(options.input ?? '')
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [out, err] = await Promise.all([text(stdout), text(stderr)])
  return { code: await code, stdout: out, stderr: err }
}
