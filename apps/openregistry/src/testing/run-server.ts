import { createInterface } from 'node:readline'
import { createRegistryClient, type RegistryClient } from '@openregistry/sdk'
import { startCommand, type RunOptions } from './run-command.ts'

/** A registry that runs in a process of its own. */
export interface ServerUnderTest extends AsyncDisposable {
  /** Its first address, for example `http://127.0.0.1:40001`. */
  readonly server: string
  readonly client: RegistryClient
  /** Of the process that was started. */
  readonly pid: number
  /** Every line of its log so far, parsed. */
  readonly log: readonly Record<string, unknown>[]
  /** Sends a signal (SIGTERM unless said otherwise) and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `serve` on any free port; resolves when it says where. */
export async function runServer(options: RunOptions, args: readonly string[] = []): Promise<ServerUnderTest> {
  const env = { OPEN_REGISTRY_HTTP_PORT: '0', OPEN_REGISTRY_LOG_LEVEL: 'debug', ...options.env }
  const child = startCommand(['serve', ...args], { ...options, env })
  if (child.stdout === null || child.stderr === null) throw new Error('The server has no pipes.')
  const log: Record<string, unknown>[] = []
  const faults: string[] = []
  child.stderr.on('data', (chunk: Buffer) => faults.push(chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const started = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>
    log.push(entry)
    if (entry['event'] === 'server_start') started.resolve((entry['addresses'] as string[])[0] ?? '')
  })
  void ended.then((code) => started.reject(new Error(`serve ended with ${code}:\n${faults.join('')}`)))
  const server = await started.promise
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  return {
    server,
    client: createRegistryClient({ server }),
    pid: child.pid ?? 0,
    log,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}
