import { execFile } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { promisify } from 'node:util'

/** What a reader needs to judge the numbers; nothing that names the machine. */
export interface Machine {
  processor: string
  cores: number
  memoryGiB: number
  kernel: string
  fileSystem: string
  node: string
  /** Average of runnable processes in the minute before the run; anything above 0.2 casts doubt on the numbers. */
  loadBefore: number
}

/** Looks at the machine. `folder` is on the disk that is measured. */
export async function lookAtMachine(folder: string): Promise<Machine> {
  const { stdout } = await promisify(execFile)('df', ['--output=fstype', folder]).catch(() => ({
    stdout: '',
  }))
  const [first] = cpus()
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${process.platform} ${release()}`,
    fileSystem: stdout.trim().split('\n').at(-1) || 'unknown',
    node: process.version,
    loadBefore: loadavg()[0] ?? NaN,
  }
}
