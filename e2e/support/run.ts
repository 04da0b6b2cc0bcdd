import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** How a program is called. */
export interface RunOptions {
  env: Readonly<Record<string, string>>
  cwd?: string
  /** Given to its standard input; without it there is nothing to read. */
  input?: string | Buffer
  /** After how many milliseconds it is killed, with all that it started. */
  timeout?: number
}

/** What a program left. */
export interface RunResult {
  /** Exit code; 128 + 9 when it was killed because its time was up. */
  code: number
  stdout: string
  stderr: string
}

const defaultTimeout = 60_000
const killedCode = 137

/** Runs a program to its end, whatever its exit code. */
export async function attempt(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  // A group of its own, so that nothing it starts outlives the time limit.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  // A program that does not read its input closes it; its exit code says more than this error.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const limit = setTimeout(() => killGroup(child), options.timeout ?? defaultTimeout)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? killedCode, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(limit)
  }
}

/**
 * Runs a program that has to succeed.
 *
 * @returns its standard output without the white space at the end
 * @throws Error with the command line and all output when it does not
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const result = await attempt(command, args, options)
  if (result.code !== 0) throw new Error(describe([command, ...args], result))
  return result.stdout.trimEnd()
}

/** A call and its outcome, for people. */
export function describe(commandLine: readonly string[], result: RunResult): string {
  const printed = `${result.stdout}${result.stderr}`.slice(-4000)
  return `${commandLine.join(' ')}\nended with ${result.code}:\n${printed}`
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  return () => Buffer.concat(pieces).toString('utf8')
}

/** Ends a process that was started detached, and all of its group. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}
