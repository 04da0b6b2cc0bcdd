import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The workers of a supervisor, by name, with their process ids. */
export async function workersOf(pid: number): Promise<Map<string, number>> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const found = new Map<string, number>()
  for (const line of stdout.split('\n')) {
    const [own, parent, ...words] = line.trim().split(/\s+/)
    if (Number(parent) === pid && words.at(-2)?.endsWith('worker-main.ts') === true) {
      found.set(words.at(-1) ?? '', Number(own))
    }
  }
  return found
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
