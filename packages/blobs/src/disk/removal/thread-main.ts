import { unlinkSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { RemovalAnswer, RemovalFault, RemovalRequest } from './messages.ts'

/** The beginning of a removal thread: it does one request after the other until it is terminated. */
parentPort?.on('message', ({ id, paths }: RemovalRequest) => {
  parentPort?.postMessage({ id, faults: paths.map(remove) } satisfies RemovalAnswer)
})

function remove(path: string): RemovalFault | null {
  try {
    unlinkSync(path)
    return null
  } catch (error) {
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    return { code, message }
  }
}
