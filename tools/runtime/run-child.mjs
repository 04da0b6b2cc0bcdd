// Runs a program in our place: its signals, its exit code. Plain JavaScript for any Node ≥ 20.
import { spawn } from 'node:child_process'

/**
 * Runs a command with our terminal and ends as it ends. Does not return.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function runInstead(command, args, env) {
  const child = spawn(command, args, { stdio: 'inherit', env })
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => {
      // A terminal gives Ctrl-C and Ctrl-\ to the child as well as to us: sending it once more would be a second one.
      if (onTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(`${command} could not be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
