import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether a file is there and may be run. */
export async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** First program of that name on `PATH`, or null. */
export async function onPath(name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (folder !== '' && (await isProgram(path))) return path
  }
  return null
}

/** What a program prints, standard error included; empty when it cannot be run. */
export async function printed(program: string, ...args: string[]): Promise<string> {
  const output = await run(program, args, { timeout: 20_000 }).catch(() => ({ stdout: '', stderr: '' }))
  return output.stdout + output.stderr
}

/** First thing that looks like a version in what `<program> <args>` prints, or `unknown`. */
export async function versionOf(program: string, ...args: string[]): Promise<string> {
  return /\d+\.\d+\.\d+[\w.~-]*/.exec(await printed(program, ...args))?.[0] ?? 'unknown'
}

/** Where `tools/peers/install.sh` has built a peer, or null. */
export async function built(name: string): Promise<string | null> {
  const installer = fileURLToPath(new URL('../../tools/peers/install.sh', import.meta.url))
  const [, , state, path] = (await printed(installer, '--list', name)).trim().split(/\s+/)
  return state === 'present' && path !== undefined ? path : null
}
