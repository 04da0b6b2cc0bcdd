import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in these for every architecture Node runs on (`getconf CLK_TCK`). */
const ticksPerSecond = 100

/** CPU seconds of one process and of its children that have ended, from `/proc/<pid>/stat` (proc(5)). */
export function parseCpuSeconds(stat: string): number {
  // The command's name is in brackets and may hold spaces and brackets itself: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime, stime, cutime, cstime are fields 14 to 17 of the line, the state (here index 0) is field 3.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return ticks / ticksPerSecond
}

/**
 * Bytes of private and shared memory of one process, from `/proc/<pid>/status`: RssAnon and RssShmem. Mapped files
 * (program text, page cache) are left out.
 */
export function parseMemory(status: string): number {
  let kibibytes = 0
  for (const match of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)) kibibytes += Number(match[1])
  return kibibytes * 1024
}

/** `/proc` entries vanish while they are read; a process that has ended counts as nothing. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** The process and everything it started, directly or not. */
export function processTree(root: number): number[] {
  const tree = [root]
  for (let index = 0; index < tree.length; index++) {
    const pid = tree[index]
    if (pid === undefined) break
    for (const thread of threadsOf(pid)) {
      const children = readOrNothing(`/proc/${pid}/task/${thread}/children`)
      for (const child of children.split(' ')) if (child !== '') tree.push(Number(child))
    }
  }
  return tree
}

/** CPU seconds that the whole tree has used so far. */
export function treeCpuSeconds(root: number): number {
  return processTree(root).reduce((sum, pid) => {
    const stat = readOrNothing(`/proc/${pid}/stat`)
    return stat === '' ? sum : sum + parseCpuSeconds(stat)
  }, 0)
}

/** Bytes of private and shared memory of the whole tree now. */
export function treeMemory(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + parseMemory(readOrNothing(`/proc/${pid}/status`)), 0)
}

/** Samples the memory of a tree ten times a second until it is stopped. */
export function watchMemory(root: number): { stop(): number } {
  let peak = treeMemory(root)
  const sample = (): void => {
    peak = Math.max(peak, treeMemory(root))
  }
  const timer = setInterval(sample, 100)
  return {
    stop() {
      clearInterval(timer)
      sample()
      return peak
    },
  }
}
