import { readFileSync } from 'node:fs'
import { processTree } from './process-tree.ts'

/** The most memory that a process and everything it started have held, in bytes, added up (proc(5), `VmHWM`). */
export function peakMemory(root: number): number {
  let total = 0
  for (const pid of processTree(root)) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    total += Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  }
  return total
}
