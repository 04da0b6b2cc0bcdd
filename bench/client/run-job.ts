import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClientResult } from './in-parallel.ts'
import type { FromClient, Job, ToClient } from './jobs/job.ts'

const program = fileURLToPath(new URL('process.ts', import.meta.url))

function nextMessage(child: ChildProcess): Promise<FromClient> {
  const { promise, resolve, reject } = Promise.withResolvers<FromClient>()
  child.once('message', (message: FromClient) => resolve(message))
  child.once('error', reject)
  child.once('exit', (code, signal) => reject(new Error(`the client ended early (${signal ?? code})`)))
  return promise.finally(() => {
    child.removeAllListeners('message')
    child.removeAllListeners('error')
    child.removeAllListeners('exit')
  })
}

function send(child: ChildProcess, message: ToClient): void {
  child.send(message)
}

/**
 * Runs one job in a client process of its own.
 *
 * @param measured called once the client is prepared, around its work
 * @throws Error with the client's reason when an answer was not what it should be
 */
export async function runJob<T>(
  port: number,
  job: Job,
  measured: (work: () => Promise<ClientResult>) => Promise<T>,
): Promise<T> {
  const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    send(child, { kind: 'prepare', port, job })
    const prepared = await nextMessage(child)
    if (prepared.kind === 'failed') throw new Error(prepared.reason)
    return await measured(async () => {
      send(child, { kind: 'start' })
      const message = await nextMessage(child)
      if (message.kind === 'failed') throw new Error(message.reason)
      if (message.kind !== 'done') throw new Error('the client answered out of turn')
      return message.result
    })
  } finally {
    child.kill()
  }
}
