import { spawn } from 'node:child_process'

/** How a program ended. */
export interface ProgramResult {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs a program with exactly this environment, and collects what it prints. Rejects when it cannot be started. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<ProgramResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>()
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.on('error', reject)
  child.on('close', (exitCode) => {
    resolve({
      exitCode,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    })
  })
  return promise
}
