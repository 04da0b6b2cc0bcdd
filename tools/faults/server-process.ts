import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../bin/openregistry', import.meta.url))

/** Milliseconds that a start may take before the harness gives up; a bound against hanging, not a measurement. */
const patience = 30_000

/** A registry in a process of its own, that can be killed as a power supply does it. */
export interface ServerProcess {
  readonly origin: string
  readonly pid: number
  /** Ends it without any chance to tidy up; resolves when it is gone. */
  kill(): Promise<void>
  /** Ends it politely; resolves with its exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts `openregistry serve` on a data folder, and waits until it answers.
 * @param log the file that takes its log.
 * @throws Error when it ends or does not answer in time.
 */
export async function startServer(dataDir: string, port: number, log: string): Promise<ServerProcess> {
  const output = openSync(log, 'a')
  const child = spawn(command, ['serve'], {
    cwd: dataDir,
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      OPEN_REGISTRY_DATA_DIR: dataDir,
      OPEN_REGISTRY_HTTP_PORT: String(port),
      OPEN_REGISTRY_LOG_LEVEL: 'warn',
    },
  })
  closeSync(output)
  const origin = `http://127.0.0.1:${port}`
  const gone = once(child, 'exit')
  await untilReady(origin, child, log)
  return {
    origin,
    pid: child.pid ?? 0,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async stop() {
      child.kill('SIGTERM')
      await gone
      return child.exitCode
    },
  }
}

async function untilReady(origin: string, child: ChildProcess, log: string): Promise<void> {
  const end = Date.now() + patience
  while (Date.now() < end) {
    if (child.exitCode !== null)
      throw new Error(`The registry ended with ${child.exitCode}; its log is ${log}.`)
    const ready = await fetch(`${origin}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await delay(20)
  }
  child.kill('SIGKILL')
  throw new Error(`The registry did not answer within ${patience} ms; its log is ${log}.`)
}
